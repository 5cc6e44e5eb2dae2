// A lab to measure: the real program as it is shipped, a server process with its agent, in a folder of its own below
// .tmp/ of the checkout (so on the same disk), with as many boards as wanted, all in pools that overlap.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { heapBytes } from './heap.ts';

export const root = resolve(import.meta.dirname, '../..');
const startMsMax = 60_000;
const leaveMsMax = 10_000;

export interface BenchLab {
  readonly socketPath: string;
  readonly folder: string;
  /** Resident memory of the server, in bytes. */
  rssBytes(): Promise<number>;
  /** What it keeps on its heap, in bytes; with the option --inspect only. */
  heapBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface LabOptions {
  readonly boards: number;
  /** Options of Node for the server, such as --cpu-prof. */
  readonly nodeOptions?: readonly string[];
}

/** A folder on the checkout's disk. */
export async function makeFolder(name: string): Promise<string> {
  await mkdir(join(root, '.tmp'), { recursive: true });
  return mkdtemp(join(root, '.tmp', `bench-${name}-`));
}

/** Starts a lab and resolves when it takes clients and has its boards. */
export async function startLab({ boards, nodeOptions = [] }: LabOptions): Promise<BenchLab> {
  const folder = await makeFolder('lab');
  const socketPath = join(folder, 's');
  await writeFile(join(folder, 'lab.yaml'), configuration(boards));
  const places = ['--config', join(folder, 'lab.yaml'), '--state', join(folder, 'state')];
  const words = [join(root, 'dist/mq.js'), 'server', ...places, '--socket', socketPath];
  const server = spawn(process.execPath, ['--no-warnings', ...nodeOptions, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
  });
  const said = { inspector: '' };
  const lab: BenchLab = {
    socketPath,
    folder,
    rssBytes: () => rssBytes(server.pid ?? 0),
    heapBytes: () => heapBytes(said.inspector),
    close: async () => {
      await leave(server);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await isReady(server, boards, said);
  } catch (error) {
    await lab.close();
    throw error;
  }
  return lab;
}

/** `pool` has all boards, and two more have every second and every third. */
function configuration(count: number): string {
  const names = Array.from({ length: count }, (_, at) => `board-${at}`);
  const every = (step: number) => names.filter((_, at) => at % step === 0).join(', ');
  const machine = 'files: { min: 1, max: 2 }, machine: { driver: v86 }';
  return [
    'lab: Bench',
    'boards:',
    ...names.map((name) => `  ${name}: { arch: x86, ${machine} }`),
    'pools:',
    `  pool: [${every(1)}]`,
    `  seconds: [${every(2)}]`,
    `  thirds: [${every(3)}]`,
    'limits: { tickets_per_user: 100000, queue_length: 100000, streams_per_user: 20000, open_streams: 20000 }',
    '',
  ].join('\n');
}

function isReady(server: ChildProcess, boards: number, noted: { inspector: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const fail = (why: string) => reject(new Error(`the server ${why}:\n${said.join('\n')}`));
    const late = setTimeout(() => fail(`took too long to start with ${boards} boards`), startMsMax);
    server.once('exit', (code) => fail(`ended with ${code}`));
    if (!server.stderr) return fail('has no stderr');
    createInterface({ input: server.stderr }).on('line', (line) => {
      said.push(line);
      noted.inspector ||= /^Debugger listening on (ws:\S+)/.exec(line)?.[1] ?? '';
      if (!line.includes('"message":"ready"')) return;
      clearTimeout(late);
      resolve();
    });
  });
}

async function leave(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  const late = setTimeout(() => server.kill('SIGKILL'), leaveMsMax);
  server.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}

async function rssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}
