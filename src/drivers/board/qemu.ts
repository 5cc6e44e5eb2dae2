// Driver qemu: a whole board that QEMU emulates, of any architecture. The first file is its kernel, the second its
// initial RAM disk; its first serial port is the console. No screen, and no network but what its arguments ask for.

import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { endTree } from '../../platform/process-tree.ts';
import { endedProgram, type ProgramSession, runProgram } from '../program.ts';
import type { BoardDriver, BoardExit, BoardHooks, BoardJob, BoardSession } from './contract.ts';
import { endedSession } from './ended-session.ts';

export interface QemuOptions {
  /** As qemu-system-arm: looked up in PATH, or an absolute path. */
  readonly program: string;
  /** As for -machine. */
  readonly machine: string;
  readonly cpu?: string;
  readonly memoryMb: number;
  /** Come after the driver's own. */
  readonly arguments: readonly string[];
}

/** What of QEMU's own words goes into an error. */
const keptOutputBytes = 500;
const graceMilliseconds = 2_000;
/** QEMU's words for what a user brought; not all of them name the file. */
const unloadable = /\b(kernel|initrd|ELF|image|dtb|device tree)\b/i;

/** A driver for one board. */
export function createQemuDriver(options: QemuOptions): BoardDriver {
  let current: ProgramSession | undefined;
  return {
    watches: false,
    async start(job, hooks, { signal }) {
      await current?.stop();
      const unended = current?.findUnended() ?? [];
      const problem = findUnfit(job);
      if (unended.length > 0) {
        const pids = unended.map(({ pid }) => pid).join(', ');
        return endedSession({ kind: 'fault', message: `QEMU of the last job can't be ended: ${pids}` });
      }
      if (problem !== undefined) return endedSession({ kind: 'boot-failed', message: problem });
      const started = await startQemu(options, { job, hooks, signal });
      current = started.program;
      return started.session;
    },
    async powerOff() {
      await current?.stop();
      const unended = current?.findUnended() ?? [];
      if (unended.length === 0) return;
      throw new Error(`QEMU can't be ended: ${unended.map(({ pid }) => pid).join(', ')}`);
    },
  };
}

function findUnfit(job: BoardJob): string | undefined {
  if (job.bitstreamPath !== undefined) return 'A board in QEMU takes no bitstream.';
  if (job.files.length === 1 || job.files.length === 2) return undefined;
  return `A board in QEMU takes an image and at most one file beside it, not ${job.files.length}.`;
}

interface Start {
  readonly job: BoardJob;
  readonly hooks: BoardHooks;
  readonly signal: AbortSignal;
}

async function startQemu(
  options: QemuOptions,
  { job, hooks, signal }: Start,
): Promise<{ program: ProgramSession; session: BoardSession }> {
  let files: readonly LinkedFile[];
  try {
    files = await linkFiles(job);
  } catch (error) {
    const program = endedProgram({ kind: 'fault', message: `QEMU's files: ${(error as Error).message}` });
    return { program, session: program };
  }
  let said = Buffer.alloc(0);
  const program = await runProgram({
    path: options.program,
    words: qemuWords(options, files),
    takesInput: false,
    onOutput: (bytes) => {
      said = Buffer.concat([said, bytes]).subarray(-keptOutputBytes);
    },
    ...{ graceMilliseconds, endTree, hooks, signal },
  });
  const exit = program.exit.then((exit) => judgeExit(exit, { said: withoutWarnings(said), files, options }));
  return { program, session: { exit, write: (bytes) => program.write(bytes), stop: () => program.stop() } };
}

interface LinkedFile {
  readonly option: string;
  readonly path: string;
  /** The user's own. */
  readonly name: string;
}

/** Under names of our own, for a comma in a path has a meaning to QEMU. */
async function linkFiles(job: BoardJob): Promise<LinkedFile[]> {
  const [kernel, second] = job.files;
  const files = [
    ...(kernel === undefined ? [] : [{ option: '-kernel', target: kernel.path, name: kernel.name }]),
    ...(second === undefined ? [] : [{ option: '-initrd', target: second.path, name: second.name }]),
    ...(job.dtbPath === undefined ? [] : [{ option: '-dtb', target: job.dtbPath, name: 'the device tree' }]),
  ];
  return Promise.all(
    files.map(async ({ option, target, name }) => {
      const path = join(job.workFolder, `qemu${option}`);
      await rm(path, { force: true });
      await symlink(target, path);
      return { option, path, name };
    }),
  );
}

function qemuWords(options: QemuOptions, files: readonly LinkedFile[]): string[] {
  return [
    ...['-machine', options.machine],
    ...(options.cpu === undefined ? [] : ['-cpu', options.cpu]),
    ...['-m', String(options.memoryMb)],
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    // The socket is connected before QEMU runs, so no byte comes too early to be read.
    ...['-chardev', 'socket,id=mq-console,fd=3', '-serial', 'chardev:mq-console'],
    ...files.flatMap(({ option, path }) => [option, path]),
    ...options.arguments,
  ];
}

function withoutWarnings(said: Buffer): string {
  const lines = said.toString().split('\n');
  return lines
    .filter((line) => !line.includes(': warning: '))
    .join('\n')
    .trim();
}

/** QEMU says why it fails; a code without a word is the guest's own, by a device made for that. */
function judgeExit(
  exit: BoardExit,
  qemu: { said: string; files: readonly LinkedFile[]; options: QemuOptions },
): BoardExit {
  const { program } = qemu.options;
  if (exit.kind === 'signalled') {
    return { kind: 'fault', message: `'${program}' was ended by ${exit.signal}` };
  }
  const isOurs = exit.kind === 'exited' && (exit.code !== 0 || /terminating on signal/.test(qemu.said));
  if (!isOurs || qemu.said === '') return exit;
  const named = qemu.files.find(({ path }) => qemu.said.includes(path));
  let words = qemu.said;
  for (const { path, name } of qemu.files) words = words.replaceAll(path, name);
  if (named !== undefined || unloadable.test(qemu.said)) {
    const name = (named ?? qemu.files[0])?.name;
    return { kind: 'boot-failed', message: `'${program}' can't load '${name}': ${words}` };
  }
  return { kind: 'fault', message: `'${program}' ended: ${words}` };
}
