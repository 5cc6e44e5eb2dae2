// A real lab for tests: `mq server` in a fresh folder, commands against it, and the end of all of it afterwards.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connectTo } from '../../../src/cli/connect/connect.ts';
import { hasProcessTable } from '../../../src/platform/process-table.ts';
import type { StatusView } from '../../../src/protocol/views.ts';
import { endLeftovers } from './leftovers.ts';
import { mqPath, oldMqPath } from './paths.ts';
import { type Ended, Running, type RunOptions } from './running.ts';
import { makeScriptBoard, type ScriptBoard } from './script-board.ts';
import { onTerminal } from './terminal.ts';
import type { User } from './users.ts';

export interface LabFile {
  readonly boards: Readonly<Record<string, object>>;
  readonly pools?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}

interface Cleaner {
  after(clean: () => Promise<void>): void;
}

export interface CommandOptions extends RunOptions {
  readonly as?: User;
  /** Called as mq.sh. */
  readonly oldName?: boolean;
  /** On a terminal, to which a person's eyes and hands belong: stdout has all that it shows. */
  readonly terminal?: boolean;
}

const pollMilliseconds = 20;
const untilMilliseconds = 25_000;
const leaveMilliseconds = 5_000;

export class Lab {
  readonly folder: string;
  readonly socketPath: string;
  readonly stateFolder: string;
  readonly configPath: string;
  #commands: Running[] = [];
  #server: Running | undefined;

  /** Use Lab.start, or Lab.make where the configuration needs the folder first. */
  private constructor(folder: string) {
    this.folder = folder;
    this.socketPath = join(folder, 's');
    this.stateFolder = join(folder, 'state');
    this.configPath = join(folder, 'lab.yaml');
  }

  /** The folder is there, nothing runs yet. It is open to all users, as a lab's folder for images would be. */
  static async make(cleaner: Cleaner): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), 'mq-e2e-')));
    await chmod(lab.folder, 0o755);
    const open = join(lab.folder, 'open');
    await mkdir(open);
    await chmod(open, 0o777);
    cleaner.after(() => lab.close());
    return lab;
  }

  static async start(cleaner: Cleaner, file: LabFile): Promise<Lab> {
    const lab = await Lab.make(cleaner);
    try {
      await lab.configure(file);
      await lab.startServer();
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  /** JSON is YAML too. */
  async configure(file: LabFile): Promise<void> {
    await writeFile(this.configPath, JSON.stringify({ lab: 'Test', ...file }, undefined, 2));
  }

  scriptBoard(name: string): Promise<ScriptBoard> {
    return makeScriptBoard(this.folder, name);
  }

  /** Writes a file into the lab's folder and returns its path. */
  async file(name: string, content: string | Uint8Array, mode?: number): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, mode === undefined ? {} : { mode });
    return path;
  }

  get server(): Running {
    assert.ok(this.#server, 'the server runs');
    return this.#server;
  }

  /** Starts the server and resolves when a client can connect. */
  async startServer(words: readonly string[] = [], options: RunOptions = {}): Promise<void> {
    this.#server = this.spawnServer(words, options);
    await this.#server.printed('"ready"', 'stderr');
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.socketPath, () => resolve(void socket.destroy()));
      socket.once('error', reject);
    });
  }

  /** A server on this lab's folder, as it comes up or not. */
  spawnServer(words: readonly string[] = [], options: RunOptions = {}): Running {
    const { configPath, stateFolder, socketPath } = this;
    const places = ['--config', configPath, '--state', stateFolder, '--socket', socketPath];
    return this.#keep(
      new Running(mqPath, ['server', ...places, ...words], { env: cleanEnvironment(), ...options }),
    );
  }

  /** Ends the server with SIGKILL and waits until it is gone. */
  async killServer(): Promise<void> {
    this.server.kill('SIGKILL');
    await this.server.ended;
  }

  /** The process of the agent, as it holds its folder. */
  async agentPid(): Promise<number> {
    const text = await readFile(join(this.stateFolder, 'agent/lock'), 'utf8');
    const pid = Number(/\d+/.exec(text)?.[0]);
    assert.ok(pid > 1, `the agent's lock file names its process: ${text}`);
    return pid;
  }

  /** Starts a command. */
  mq(words: readonly string[], options: CommandOptions = {}): Running {
    const { as, oldName = false, terminal = false, env, ...more } = options;
    const ids = as === undefined ? {} : { uid: as.uid, gid: as.gid };
    const environment = { ...cleanEnvironment(), MQ_SERVER: `unix:${this.socketPath}`, ...env };
    const cwd = join(this.folder, 'open');
    const path = oldName ? oldMqPath : mqPath;
    const spawnOptions = { cwd, ...more, ...ids, env: environment };
    if (!terminal) return this.#keep(new Running(path, words, spawnOptions));
    return this.#keep(
      new Running('script', onTerminal([path, ...words]), { stdin: 'open', ...spawnOptions }),
    );
  }

  /** Starts another program as a client, in the folder where commands run. */
  spawn(path: string, words: readonly string[], options: RunOptions = {}): Running {
    return this.#keep(new Running(path, words, { cwd: join(this.folder, 'open'), ...options }));
  }

  /** Runs a command to its end. */
  run(words: readonly string[], options: CommandOptions = {}): Promise<Ended> {
    return this.mq(words, options).ended;
  }

  /** Runs a command and checks all that the old words promise: exit code, stdout byte for byte, nothing on stderr. */
  async expect(
    words: readonly string[],
    wanted: { readonly exit: number; readonly stdout: string },
    options: CommandOptions = {},
  ): Promise<void> {
    const { code, stdout, stderr } = await this.run(words, options);
    assert.deepEqual({ exit: code, stdout, stderr }, { ...wanted, stderr: '' }, `mq ${words.join(' ')}`);
  }

  /** `sem -mr-info`, without its time. */
  async holder(board: string): Promise<string> {
    const { stdout } = await this.run(['sem', '-mr-info', board]);
    return stdout.trimEnd().replace(/ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} [+-]\d{4}/g, '');
  }

  /** Takes the lock from whoever has it, without a command. */
  async release(board: string): Promise<void> {
    const client = await connectTo(`unix:${this.socketPath}`);
    try {
      await client.request('release', {
        requestId: client.newRequestId(),
        target: board,
        key: '',
        force: true,
      });
    } finally {
      client.close();
    }
  }

  /** Asks for the status over one connection until it is as wanted; that connection lives through a restart. */
  async until(what: string, isSo: (status: StatusView) => boolean): Promise<StatusView> {
    const client = await connectTo(`unix:${this.socketPath}`, { readsOnly: true });
    const endAt = performance.now() + untilMilliseconds;
    try {
      while (true) {
        const status = await client.request('status', {});
        if (isSo(status)) return status;
        if (performance.now() > endAt)
          assert.fail(`not so in time: ${what}\n${JSON.stringify(status, undefined, 1)}`);
        await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
      }
    } finally {
      client.close();
    }
  }

  /** Resolves when tickets with these keys wait, each in the queue. */
  untilWaiting(...keys: string[]): Promise<StatusView> {
    const isWaiting = ({ queue }: StatusView) =>
      keys.every((key) => queue.some((entry) => entry.key === key));
    return this.until(`tickets wait with keys ${keys.join(', ')}`, isWaiting);
  }

  /** Resolves when no board has a lock and nothing waits. */
  untilQuiet(): Promise<StatusView> {
    const isQuiet = ({ boards, queue }: StatusView) =>
      queue.length === 0 && boards.every(({ lock, state }) => lock === undefined && state !== 'ending');
    return this.until('every board is free and nothing waits', isQuiet);
  }

  /** Ends commands and locks that a test left because it failed, so that the next one is not in their way. */
  async reset(): Promise<void> {
    if (this.server.hasEnded) await this.startServer();
    for (const command of this.#commands) {
      if (command !== this.#server && !command.hasEnded) command.kill('SIGKILL');
    }
    this.#commands = this.#commands.filter((command) => !command.hasEnded);
    const { boards } = await this.until('the server answers', () => true);
    for (const { board, lock } of boards) if (lock) await this.run(['sem', '-signal', board, '-f']);
    await this.untilQuiet();
  }

  /** Ends everything that runs and removes the folder. */
  async close(): Promise<void> {
    for (const command of this.#commands) {
      if (command !== this.#server && !command.hasEnded) command.kill('SIGKILL');
    }
    if (this.#server && !this.#server.hasEnded) {
      const late = setTimeout(() => this.#server?.kill('SIGKILL'), leaveMilliseconds);
      this.#server.kill('SIGTERM');
      this.#server.kill('SIGTERM');
      await this.#server.ended.catch(() => undefined);
      clearTimeout(late);
    }
    if (hasProcessTable()) await endLeftovers(this.folder);
    await rm(this.folder, { recursive: true, force: true });
  }

  #keep(command: Running): Running {
    this.#commands.push(command);
    return command;
  }
}

/** What a CI or a person has set must not change what is tested. Users of a service often have no home either. */
export function cleanEnvironment(): Record<string, string> {
  const { PATH = '/usr/bin:/bin' } = process.env;
  return { PATH, HOME: '/nonexistent', LANG: 'C.UTF-8', TZ: 'UTC' };
}
