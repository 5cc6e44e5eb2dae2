// One run of a lab's own board program: its console, its end, and the end of all that it started.
// Makes processes, and signals those that it made.

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../../platform/process-table.ts';
import type { endTree } from '../../platform/process-tree.ts';
import { type SpawnedSession, spawnSession } from '../../platform/spawn-session.ts';
import type { BoardExit, BoardHooks, BoardSession } from './contract.ts';
import { endedSession } from './ended-session.ts';

/** By this variable all that one run started is known. */
const markerName = 'BOARD_RUN_ID';
/** How long output may still come after the program itself has ended, from what it left running. */
const lastOutputMilliseconds = 500;
/** Input that the program has not read yet: more is dropped, as a serial port does. */
const inputBytesMax = 1024 * 1024;

export interface ProgramCall {
  readonly path: string;
  /** What follows the path; passed as they are, no shell sees them. */
  readonly words: readonly string[];
  readonly takesInput: boolean;
  readonly graceMilliseconds: number;
  /** Ends a run with all that it started. */
  readonly endTree: typeof endTree;
  readonly hooks: BoardHooks;
  readonly signal: AbortSignal;
}

export interface ProgramSession extends BoardSession {
  /** Processes of this run that could not be ended and still run: another user's, or stuck in the kernel. */
  findUnended(): readonly ProcessIdentity[];
}

/** Runs a program and all it starts as one session, console and exit as the contract says. Never rejects. */
export async function runProgram(call: ProgramCall): Promise<ProgramSession> {
  if (call.signal.aborted) return endedProgram({ kind: 'stopped' });
  // Besides the caller's own marks one that no other run has, so that ending this run ends no other.
  const marker = { [markerName]: randomUUID() };
  let spawned: SpawnedSession;
  try {
    spawned = await spawnSession({
      path: call.path,
      arguments: call.words,
      environment: { ...ownEnvironment(), ...call.hooks.env, ...marker },
      workingFolder: findWorkingFolder(),
      takesInput: call.takesInput,
      onChild: call.hooks.onChild,
    });
  } catch (error) {
    return endedProgram({
      kind: 'fault',
      message: `'${call.path}' can't be started: ${(error as Error).message}`,
    });
  }
  return followProgram(spawned, marker, call);
}

/** A run of which nothing was begun, or nothing is left. */
export function endedProgram(exit: BoardExit): ProgramSession {
  return { ...endedSession(exit), findUnended: () => [] };
}

/** Home, as by ssh; the home of a system user often is not there, and a program can't be started in no folder. */
function findWorkingFolder(): string {
  const home = homedir();
  return statSync(home, { throwIfNoEntry: false })?.isDirectory() ? home : '/';
}

/** This program's own settings, its secrets among them, are none of a lab script's business. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MQ_')));
}

function followProgram(
  spawned: SpawnedSession,
  marker: Readonly<Record<string, string>>,
  call: ProgramCall,
): ProgramSession {
  const { output, input, ended, leader } = spawned;
  const stopping = Promise.withResolvers<{ readonly kind: 'stopped' }>();
  const requestStop = () => stopping.resolve({ kind: 'stopped' });
  if (call.signal.aborted) requestStop();
  call.signal.addEventListener('abort', requestStop);
  const outputClosed = new Promise<void>((resolve) => output.once('close', resolve));
  let held: Promise<void> | undefined;
  let unended: readonly ProcessIdentity[] = [];
  output.on('data', (bytes: Buffer) => {
    call.hooks.onConsole(bytes);
    held = call.hooks.holdConsole?.();
    if (held === undefined) return;
    output.pause();
    held = held.then(() => void output.resume());
  });
  output.on('error', () => {});

  const finish = async (): Promise<BoardExit> => {
    const exit = await Promise.race([ended.then(asExit), stopping.promise]);
    // The time for last output counts from when it can be read.
    await held;
    await waitBriefly(Promise.race([outputClosed, stopping.promise]));
    const { signal } = new AbortController();
    const { graceMilliseconds } = call;
    const { remaining } = await call.endTree({ leaders: [leader], marker }, { signal, graceMilliseconds });
    unended = remaining;
    await waitBriefly(outputClosed);
    output.destroy();
    input?.destroy();
    if (remaining.length === 0) return exit;
    const pids = remaining.map(({ pid }) => pid).join(', ');
    return { kind: 'fault', message: `'${call.path}' left processes that can't be ended: ${pids}` };
  };
  const exit = finish()
    .catch((error: unknown): BoardExit => ({ kind: 'fault', message: `'${call.path}': ${String(error)}` }))
    .finally(() => call.signal.removeEventListener('abort', requestStop));
  return {
    exit,
    findUnended: () => unended.filter(isRunning),
    write(bytes) {
      if (input?.writable && input.writableLength <= inputBytesMax) input.write(Uint8Array.from(bytes));
    },
    async stop() {
      requestStop();
      await exit;
    },
  };
}

function asExit(end: Awaited<SpawnedSession['ended']>): BoardExit {
  return 'code' in end ? { kind: 'exited', code: end.code } : { kind: 'signalled', signal: end.signal };
}

async function waitBriefly(event: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  const pause = sleep(lastOutputMilliseconds, undefined, { signal: timer.signal }).catch(() => {});
  await Promise.race([event, pause]);
  timer.abort();
}
