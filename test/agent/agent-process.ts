// A real agent process for tests, with a real lab program behind its one board.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { endTree } from '../../src/platform/process-tree.ts';
import { TestServer, TestStore } from './test-server.ts';

// Notes what is done to the board, and whether anything of a job still lives then. A job runs its kernel as shell.
const program = `#!/bin/sh
here=\${0%/*}
note() { echo "$*" >> "$here/journal"; }
lives() { kill -0 "$1" 2> /dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"; }
for pid in $(cat "$here/pids" 2> /dev/null); do lives "$pid" && note "OVERLAP $pid"; done
if [ "$1" = --shutdown ]; then
  note off begins
  if [ -f "$here/slow-off" ]; then echo $$ >> "$here/pids"; rm "$here/slow-off"; sleep 1000; fi
  note off
  exit 0
fi
while [ "$1" != -k ]; do shift; done
echo $$ >> "$here/pids"
note start
. "$2"
`;

export class AgentProcess {
  readonly folder: string;
  readonly stateFolder: string;
  readonly store = new TestStore();
  readonly log: string[] = [];
  #child: ChildProcess | undefined;
  #ended: Promise<number | null> | undefined;

  private constructor(folder: string) {
    this.folder = folder;
    this.stateFolder = join(folder, 'state');
  }

  static async make(t: TestContext): Promise<AgentProcess> {
    const agent = new AgentProcess(await mkdtemp(join(tmpdir(), 'agent-process-')));
    const path = join(agent.folder, 'board');
    await writeFile(path, program);
    await chmod(path, 0o755);
    t.after(() => agent.#clear());
    return agent;
  }

  /** Starts the process and waits until it listens. */
  async start(lingerSeconds = 60): Promise<void> {
    const main = join(import.meta.dirname, 'agent-main.ts');
    const child = spawn(process.execPath, [main, this.stateFolder, String(lingerSeconds)], {
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    child.stderr.setEncoding('utf8');
    const listens = new Promise<void>((resolve) => {
      child.stderr.on('data', (text: string) => {
        this.log.push(text);
        if (this.log.join('').includes('the agent is ready')) resolve();
      });
    });
    await Promise.race([
      listens,
      this.#ended.then((code) => assert.fail(`the agent ended with ${code}: ${this.log.join('')}`)),
    ]);
    this.log.length = 0;
  }

  /** A server of this agent, with the board `pc1`. */
  async connect(): Promise<TestServer> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      const one = connect(join(this.stateFolder, 'agent.sock'), () => resolve(one));
      one.once('error', reject);
    });
    const machine = { driver: 'script', path: join(this.folder, 'board') } as const;
    return new TestServer(socket, this.store, { boards: [{ name: 'pc1', machine }] });
  }

  /** Resolves with the exit code, null after a signal. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    return await this.ended;
  }

  get ended(): Promise<number | null> {
    assert.ok(this.#ended);
    return this.#ended;
  }

  async journal(): Promise<string[]> {
    const text = await readFile(join(this.folder, 'journal'), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  }

  /** Processes of jobs and power offs, as they noted themselves. */
  async pids(): Promise<number[]> {
    const text = await readFile(join(this.folder, 'pids'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  }

  async #clear(): Promise<void> {
    await this.kill('SIGKILL');
    // Whatever a failed test left running.
    const id = await readFile(join(this.stateFolder, 'id'), 'utf8').catch(() => '');
    if (id.trim() !== '') {
      const { signal } = new AbortController();
      await endTree({ leaders: [], marker: { MQ_AGENT: id.trim() } }, { signal, graceMilliseconds: 0 });
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
