// One run of a program for a board, a lab's own or an emulator: its console, its end, and the end of all that it started.
// Makes processes, and signals those that it made.

import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../platform/process-table.ts';
import type { endTree } from '../platform/process-tree.ts';
import { type SpawnedSession, spawnSession } from '../platform/spawn-session.ts';
import type { BoardExit, BoardHooks, BoardSession } from './board/contract.ts';
import { endedSession } from './board/ended-session.ts';

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
  /** Beside this program's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the console is not its outputs but a socket, which it has as descriptor 3: takes what it says on those. */
  readonly onOutput?: (bytes: Uint8Array) => void;
  readonly graceMilliseconds: number;
  /** Ends a run with all that it started. */
  readonly endTree: typeof endTree;
  readonly hooks: BoardHooks;
  readonly signal: AbortSignal;
}

export interface ProgramSession extends BoardSession {
  /** false: nothing ever ran, and `exit` says why. */
  readonly wasStarted: boolean;
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
      environment: { ...ownEnvironment(), ...call.environment, ...call.hooks.env, ...marker },
      workingFolder: findWorkingFolder(),
      takesInput: call.takesInput,
      hasSocket: call.onOutput !== undefined,
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
  return { ...endedSession(exit), wasStarted: false, findUnended: () => [] };
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
  const { output, ended, leader } = spawned;
  const source = spawned.socket ?? output;
  const sink = spawned.socket ?? spawned.input;
  const stopping = Promise.withResolvers<{ readonly kind: 'stopped' }>();
  const requestStop = () => stopping.resolve({ kind: 'stopped' });
  if (call.signal.aborted) requestStop();
  call.signal.addEventListener('abort', requestStop);
  const closings = [...new Set([source, output])].map(
    (stream) => new Promise<void>((resolve) => stream.once('close', resolve)),
  );
  const outputClosed = Promise.all(closings);
  let unended: readonly ProcessIdentity[] = [];
  const reading = readConsole(source, call.hooks);
  if (call.onOutput !== undefined) output.on('data', call.onOutput);
  output.on('error', () => {});

  const finish = async (): Promise<BoardExit> => {
    const exit = await Promise.race([ended.then(asExit), stopping.promise]);
    // The time for last output counts from when it can be read.
    await reading.held;
    await waitBriefly(Promise.race([outputClosed, stopping.promise]));
    // An emulator that waits for its console to be read would not hear the signal.
    if (exit.kind === 'stopped') spawned.socket?.destroy();
    const { signal } = new AbortController();
    const { graceMilliseconds } = call;
    const { remaining } = await call.endTree({ leaders: [leader], marker }, { signal, graceMilliseconds });
    unended = remaining;
    await waitBriefly(outputClosed);
    output.destroy();
    source.destroy();
    sink?.destroy();
    if (remaining.length === 0) return exit;
    const pids = remaining.map(({ pid }) => pid).join(', ');
    return { kind: 'fault', message: `'${call.path}' left processes that can't be ended: ${pids}` };
  };
  const exit = finish()
    .catch((error: unknown): BoardExit => ({ kind: 'fault', message: `'${call.path}': ${String(error)}` }))
    .finally(() => call.signal.removeEventListener('abort', requestStop));
  return {
    exit,
    wasStarted: true,
    findUnended: () => unended.filter(isRunning),
    write(bytes) {
      if (sink?.writable && sink.writableLength <= inputBytesMax) sink.write(Uint8Array.from(bytes));
    },
    async stop() {
      requestStop();
      await exit;
    },
  };
}

/** `held`: until when it is not read on, for the disk is behind. */
function readConsole(source: Readable, hooks: BoardHooks): { held: Promise<void> | undefined } {
  const reading: ReturnType<typeof readConsole> = { held: undefined };
  source.on('data', (bytes: Buffer) => {
    hooks.onConsole(bytes);
    const held = hooks.holdConsole?.();
    reading.held = held?.then(() => void source.resume());
    if (held !== undefined) source.pause();
  });
  return reading;
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
