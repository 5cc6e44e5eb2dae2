// Bad names, keys, notes, sets and file names in a lab, and everything that shows them to somebody else: every list, every
// message and refusal, as tables and as JSON, the screen, metrics, mails and the log. None may move a cursor there.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { board } from '../../cli/commands/board.ts';
import { cancel } from '../../cli/commands/cancel.ts';
import { extend } from '../../cli/commands/extend.ts';
import { give } from '../../cli/commands/give.ts';
import { jobs } from '../../cli/commands/jobs.ts';
import { lock } from '../../cli/commands/lock.ts';
import { power } from '../../cli/commands/power.ts';
import { queue } from '../../cli/commands/queue.ts';
import { status } from '../../cli/commands/status.ts';
import { statusLines } from '../../cli/commands/status-table.ts';
import { steal } from '../../cli/commands/steal.ts';
import { unlock } from '../../cli/commands/unlock.ts';
import { listCommand } from '../../cli/legacy/list-command.ts';
import { sem } from '../../cli/legacy/sem.ts';
import { makeFrame } from '../../cli/terminal/frame.ts';
import { paintFor } from '../../cli/terminal/paint.ts';
import type { Terminal } from '../../cli/terminal/terminal.ts';
import { buildHttp } from '../../http/listen.ts';
import { openLogger } from '../../platform/logger.ts';
import { UserNames } from '../../platform/users.ts';
import { MqError } from '../../protocol/errors.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import { heldLocks } from '../../server/mail/held-locks.ts';
import { wordMail } from '../../server/mail/mail-text.ts';
import { scrapeMetrics } from '../../server/metrics/scrape.ts';
import { MemoryStore } from '../memory-store.ts';
import type { Random } from '../simulation/random.ts';
import { CapturedTerminal, withoutSignals } from './captured-terminal.ts';
import { hostileText, randomCharacters } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';
import { boardNames, FuzzLab } from './lab.ts';
import { findControl } from './shown-text.ts';

interface NamesInput {
  readonly user: string;
  readonly key: string;
  readonly note: string;
  readonly set: string;
  readonly file: string;
  /** What is looked at, by its place in the list of commands. */
  readonly looks: readonly number[];
}

type Command = (argv: readonly string[], terminal: Terminal, program: string) => Promise<number>;
type Words = (input: NamesInput, target: string) => readonly string[];

const commands: readonly (readonly [Command, Words])[] = [
  [status, () => []],
  [status, () => ['--json']],
  [queue, () => []],
  [queue, () => ['--json']],
  [jobs, () => []],
  [jobs, () => ['--json']],
  [sem, (_input, target) => ['-info', target]],
  [sem, (_input, target) => ['-mr-info', target]],
  [sem, () => ['dumpall']],
  [sem, (_input, target) => ['-signal', target]],
  [sem, ({ key }, target) => ['-wait', target, '-t', '0', '-k', key]],
  [sem, ({ key }) => ['-wait', key, '-t', '0']],
  [sem, ({ key }, target) => ['-cancel', target, '-k', key]],
  [lock, (_input, target) => [target, '--no-wait']],
  [lock, ({ note }) => [note, '--no-wait', '--json']],
  [lock, ({ key }, target) => [target, '--no-wait', '--key', key, '--json']],
  [unlock, (_input, target) => [target]],
  [unlock, ({ key }) => [key, '--json']],
  [unlock, ({ note }, target) => [target, '--force', '--note', note, '--json']],
  [give, ({ user, key }, target) => [target, user, '--key', key]],
  [steal, ({ note }, target) => [target, '--note', note]],
  [extend, ({ key }, target) => [target, '--hold', '1h', '--key', key]],
  [power, ({ key }, target) => ['status', target, '--key', key]],
  [board, ({ note }, target) => ['note', target, '--note', note]],
  [board, ({ note }, target) => ['drain', target, '--note', note, '--json']],
  [board, (_input, target) => ['resume', target]],
  [cancel, ({ key }) => [key]],
  [listCommand('systems'), () => []],
  [listCommand('systems'), () => ['--json']],
];

function make(random: Random): NamesInput {
  const text = (max: number): string => {
    const made = random.chance(0.85) ? hostileText(random) : randomCharacters(random, 20);
    return made.slice(0, max);
  };
  return {
    user: text(64).replace(/\s/g, '') || 'eve',
    key: text(1_024),
    note: text(1_000),
    set: text(256),
    file: text(1_024) || 'file',
    looks: Array.from({ length: 6 }, () => random.between(0, commands.length - 1)),
  };
}

class NamesTarget implements Target {
  readonly #lab: FuzzLab;
  readonly #app: FastifyInstance;
  readonly #socket: string;
  readonly #folder: string;
  #inputs = 0;

  static async open(folder: string): Promise<Target> {
    // What is shown is the same with any store, and a disk is slow.
    const lab = await FuzzLab.open({ folder, store: new MemoryStore() });
    await lab.settle();
    const app = await buildHttp(lab.server, new UserNames());
    const socket = join(folder, 'socket');
    await new Promise<void>((resolve) => app.server.listen(socket, resolve));
    return new NamesTarget(lab, app, { socket, folder });
  }

  private constructor(
    lab: FuzzLab,
    app: FastifyInstance,
    { socket, folder }: { socket: string; folder: string },
  ) {
    this.#lab = lab;
    this.#app = app;
    this.#socket = socket;
    this.#folder = folder;
  }

  async take(given: unknown): Promise<string[]> {
    const input = given as NamesInput;
    const target = boardNames[this.#inputs++ % boardNames.length] ?? 'pc1';
    await this.#fill(input, target);
    const problems = await this.#lookAside(input);
    for (const look of input.looks) {
      const [command, words] = commands[look] ?? [status, () => []];
      problems.push(...(await this.#look(command, words(input, target))));
    }
    if (this.#inputs % 20 === 0) await this.#lab.clear();
    return problems;
  }

  /** A lock, a ticket behind it, a job and a note, all with what was given. */
  async #fill({ user, key, note, set, file }: NamesInput, target: string): Promise<void> {
    const lab = this.#lab;
    const wish = { target, key, note, set };
    const asked = await lab
      .call(user, 'submit', { requestId: lab.newId(), kind: 'lock', ...wish })
      .catch(refused);
    if (asked?.view.state === 'offered') {
      const { ticket, view } = asked;
      await lab.call(user, 'confirm', { requestId: lab.newId(), ticket, token: view.token });
    }
    await lab.call('ben', 'submit', { requestId: lab.newId(), kind: 'lock', ...wish }).catch(refused);
    const image = 'a'.repeat(64);
    const job: JobSpec = {
      kind: 'image',
      files: [{ name: file, hash: image, size: 1 }],
      linux: false,
      endText: '',
      errorText: '',
      timeoutSeconds: 1,
      keepOn: false,
      detached: true,
    };
    const slot = { requestId: lab.newId(), kind: 'slot', target, key, job } as const;
    await lab.call(user, 'submit', slot).catch(refused);
    const about = { requestId: lab.newId(), targets: [target], note };
    await lab.call('root', 'board', { action: 'note', ...about }).catch(refused);
  }

  async #look(command: Command, words: readonly string[]): Promise<string[]> {
    const captured = new CapturedTerminal();
    const argv = [...words, '--server', `unix:${this.#socket}`];
    const exit = await withoutSignals(() => command(argv, captured.terminal, 'mq'));
    const shown = judge(captured.text, `mq ${command.name} ${JSON.stringify(words)}`);
    return Number.isInteger(exit) ? shown : [...shown, `${command.name} exits with ${exit}`];
  }

  /** What is not a command. */
  async #lookAside({ user, key, note }: NamesInput): Promise<string[]> {
    const { server } = this.#lab;
    const status = await this.#lab.call('sam', 'status', {});
    const lines = statusLines(status, { paint: paintFor(false), width: 80, now: Date.now() });
    const screen = makeFrame({ columns: 80, rows: 40 }, { lines, foot: '', from: 0 });
    const metrics = await scrapeMetrics(server);
    const about = { lab: 'Fuzzed lab', subject: '{board} of {lab}', everySeconds: 3_600, now: Date.now() };
    const mails = await server.core.read((state) => heldLocks(state).map((held) => wordMail(held, about)));
    const mailText = mails.map(({ subject, text }) => `${subject}\n${text}`).join('');
    return [
      ...judge(screen.lines.join('\n'), 'the screen of mq status --watch'),
      ...judge(metrics, '/metrics'),
      ...judge(mailText, 'a mail'),
      ...judge(this.#logOf({ user, key, note }), 'the log'),
    ];
  }

  /** As the server's own is written. */
  #logOf(fields: object): string {
    if (this.#inputs % 10 !== 0) return '';
    const folder = mkdtempSync(join(this.#folder, 'log-'));
    const path = join(folder, 'log');
    const logger = openLogger({ to: { path }, level: 'info' });
    logger.info(JSON.stringify(fields), { ...fields, error: new Error(JSON.stringify(fields)) });
    logger.flush();
    void logger.close();
    const text = readFileSync(path, 'utf8');
    rmSync(folder, { recursive: true });
    return text;
  }

  async check(): Promise<string[]> {
    await this.#lab.clear();
    return this.#lab.check();
  }

  async close(): Promise<void> {
    this.#app.server.closeAllConnections();
    await this.#app.close();
    await this.#lab.close();
  }
}

/** The lab may refuse what is asked; it may not fail. */
function refused(error: unknown): undefined {
  if (!(error instanceof MqError) || error.code === 'INTERNAL') throw error;
  return undefined;
}

function judge(text: string, where: string): string[] {
  const control = findControl(text);
  if (control === undefined) return [];
  const at = Number(control.split(' ').at(-1));
  return [`${where} shows ${control}: ${JSON.stringify(text.slice(Math.max(0, at - 100), at + 40))}`];
}

export const namesKind: Kind = {
  name: 'names',
  share: 5,
  checkEvery: 100,
  make,
  open: (folder) => NamesTarget.open(folder),
};
