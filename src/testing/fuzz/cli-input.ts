// Bad words on the command line: options of every command with values that bite, options of none, words that look like
// options; against a server that refuses everybody, in words that bite too. A command says so, safely, and ends.
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { board } from '../../cli/commands/board.ts';
import { cancel } from '../../cli/commands/cancel.ts';
import { checkConfig } from '../../cli/commands/check-config.ts';
import { completion } from '../../cli/commands/completion.ts';
import { extend } from '../../cli/commands/extend.ts';
import { give } from '../../cli/commands/give.ts';
import { jobs } from '../../cli/commands/jobs.ts';
import { lock } from '../../cli/commands/lock.ts';
import { logs } from '../../cli/commands/logs.ts';
import { power } from '../../cli/commands/power.ts';
import { queue } from '../../cli/commands/queue.ts';
import { reload } from '../../cli/commands/reload.ts';
import { status } from '../../cli/commands/status.ts';
import { steal } from '../../cli/commands/steal.ts';
import { unlock } from '../../cli/commands/unlock.ts';
import { withLock } from '../../cli/commands/with.ts';
import { listCommand } from '../../cli/legacy/list-command.ts';
import { sem } from '../../cli/legacy/sem.ts';
import { run } from '../../cli/run/run-form.ts';
import type { Terminal } from '../../cli/terminal/terminal.ts';
import type { Random } from '../simulation/random.ts';
import { CapturedTerminal, withoutSignals } from './captured-terminal.ts';
import { hostileText } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { findControl } from './shown-text.ts';

interface CliInput {
  readonly command: string;
  readonly words: readonly string[];
  /** Why the server refuses. */
  readonly refusal: string;
}

type Command = (argv: readonly string[], terminal: Terminal, program: string) => Promise<number>;

/** Another server; and the log of `run`, which is made before anybody is asked, wherever the words say. */
const isHarmful = /^--?(server|l(og)?(=|$))/;

/** Those that start servers, agents or the programs of old scripts are left out. */
const commands: Readonly<Record<string, Command>> = {
  ...{ run, sem, lock, unlock, with: withLock, give, steal, extend, status, queue, jobs, power, logs },
  ...{
    cancel,
    board,
    reload,
    completion,
    systems: listCommand('systems'),
    features: listCommand('features'),
  },
  'check-config': checkConfig,
};

/** Of all commands: a wrong one is as good. */
const options = [
  ...['--json', '--key', '--hold', '--wait', '--no-wait', '--note', '--force', '--count', '--need', '--set'],
  ...[
    '--until',
    '--fail-on',
    '--timeout',
    '--limit',
    '--mine',
    '--follow',
    '--timestamps',
    '--reuse',
    '--where',
  ],
  ...['--priority', '--detach', '--dtb', '--bitstream', '--keep-on', '--no-color', '--new-key', '--help'],
  ...['-f', '-k', '-t', '-T', '-s', '-c', '-e', '-d', '-a', '-r', '-n', '-w', '-L', '-b', '-h', '--', '-'],
  ...['-wait', '-signal', '-info', '-mr-info', '-cancel', 'dumpall', '--line', '--shell', 'bash', 'zsh'],
  ...['drain', 'resume', 'note', 'on', 'off', 'cycle', 'status', 'simple'],
];
const values = [
  'pc1',
  'pool',
  'a,b',
  'soc=imx6',
  '0',
  '1',
  '-1',
  '1h',
  '90s',
  '1.5',
  '999999999999h',
  '3',
  '/nowhere',
];

function make(random: Random): CliInput {
  const word = (): string => {
    const kind = random.between(0, 9);
    if (kind < 4) return random.pick(options);
    if (kind < 7) return random.pick(values);
    // No argument of a process has a NUL.
    const text = hostileText(random).slice(0, 3_000).replaceAll('\u0000', '');
    return kind === 7 ? `${random.pick(options)}=${text}` : text;
  };
  return {
    command: random.pick(Object.keys(commands)),
    words: Array.from({ length: random.between(0, 6) }, word).filter((one) => !/^\/(dev|proc)/.test(one)),
    refusal: hostileText(random).slice(0, 2_000),
  };
}

class CliTarget implements Target {
  readonly #server: Server;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  #refusal = '';

  static async open(folder: string): Promise<Target> {
    const path = join(folder, 'socket');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return new CliTarget(server, path);
  }

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.once('data', () => this.#refuse(socket));
    });
  }

  #refuse(socket: Socket): void {
    const body = JSON.stringify({ code: 'NOT_ALLOWED', message: this.#refusal, details: {} });
    const length = Buffer.byteLength(body);
    socket.end(
      `HTTP/1.1 403 Refused\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
  }

  async take(input: unknown): Promise<string[]> {
    const { command, words, refusal } = input as CliInput;
    const work = commands[command];
    if (!work) return [];
    this.#refusal = refusal;
    const captured = new CapturedTerminal();
    const argv = [`--server=unix:${this.#path}`, ...words.filter((word) => !isHarmful.test(word))];
    const legacy = ['--server', `unix:${this.#path}`, ...argv.slice(1)];
    const isLegacy = command === 'sem' || command === 'systems' || command === 'features';
    const exit = await withoutSignals(() => work(isLegacy ? legacy : argv, captured.terminal, 'mq'));
    const problems: string[] = [];
    if (!Number.isInteger(exit) || exit < 0 || exit > 255) problems.push(`${command} exits with ${exit}`);
    const control = findControl(captured.text);
    if (control !== undefined)
      problems.push(`mq ${command} shows ${control}: ${JSON.stringify(captured.text.slice(0, 500))}`);
    return problems;
  }

  async check(): Promise<string[]> {
    return [];
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const cliKind: Kind = {
  name: 'cli',
  share: 10,
  checkEvery: 500,
  make,
  open: (folder) => CliTarget.open(folder),
};
