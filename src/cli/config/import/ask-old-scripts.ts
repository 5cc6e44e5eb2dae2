/**
 * Asks a checkout of the old scripts what it knows of its lab. Starts `mq.sh` of that folder, without a shell and as
 * the leader of a session of its own, so that nothing of it is left when it is ended.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { readStartTime } from '../../../platform/process-table.ts';
import { endTree } from '../../../platform/process-tree.ts';
import {
  type OldBoard,
  type OldFeatures,
  OldListError,
  type OldPool,
  parseFeatures,
  parsePoolTsv,
  parseSystemTsv,
} from './old-lists.ts';

export interface OldLab {
  boards: OldBoard[];
  pools: OldPool[];
  features: Map<string, OldFeatures>;
  /** What each command printed, byte for byte. */
  printed: { 'system-tsv': string; 'pool-tsv': string; features: string };
}

/** A command of the old scripts failed. The message has the command, how it ended and what it said. */
export class OldScriptError extends Error {}

export interface AskOptions {
  /** Ends what runs, and rejects with its reason. */
  readonly signal: AbortSignal;
  /** For each of the commands. */
  readonly secondsMax: number;
}

const outputBytesMax = 16 * 1024 * 1024;
const errorTextMax = 500;

/**
 * @param folder absolute
 *
 * Throws OldScriptError where a command fails, OldListError where it prints something else.
 */
export async function askOldScripts(folder: string, options: AskOptions): Promise<OldLab> {
  const systemTsv = await ask(folder, 'system-tsv', options);
  const boards = parseSystemTsv(systemTsv);
  const poolTsv = await ask(folder, 'pool-tsv', options);
  const pools = parsePoolTsv(poolTsv);
  const features = await ask(folder, 'features', options);
  const printed = { 'system-tsv': systemTsv, 'pool-tsv': poolTsv, features };
  return { boards, pools, features: parseFeatures(features), printed };
}

async function ask(folder: string, command: string, options: AskOptions): Promise<string> {
  const program = join(folder, 'mq.sh');
  const child = spawn(program, [command], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const leader = { pid: child.pid ?? 0, startTime: child.pid ? (readStartTime(child.pid) ?? '') : '' };
  const timeOut = AbortSignal.timeout(options.secondsMax * 1000);
  const signal = AbortSignal.any([options.signal, timeOut]);
  try {
    const { output, errors, ended } = await collect(child, signal);
    if (ended !== 'exit code 0') throw new OldScriptError(`${program} ${command}: ${ended}${said(errors)}`);
    return textOf(command, output);
  } catch (cause) {
    if (child.pid !== undefined) {
      await endTree({ leaders: [leader] }, { signal: AbortSignal.timeout(15_000), graceMilliseconds: 500 });
    }
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    options.signal.throwIfAborted();
    if (cause instanceof OldScriptError || cause instanceof OldListError) throw cause;
    const why = timeOut.aborted ? `not done after ${options.secondsMax} s` : (cause as Error).message;
    throw new OldScriptError(`${program} ${command}: ${why}`, { cause });
  }
}

interface Collected {
  output: Buffer;
  /** The beginning of what went to stderr. */
  errors: string;
  ended: string;
}

/** Resolves when the program has ended and both of its outputs are closed. */
function collect(
  child: ChildProcessByStdio<null, Readable, Readable>,
  signal: AbortSignal,
): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    let errors = '';
    child.stdout.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > outputBytesMax) reject(new Error(`prints more than ${outputBytesMax / 1024 ** 2} MB`));
      else pieces.push(piece);
    });
    child.stderr.on('data', (piece: Buffer) => {
      if (errors.length < errorTextMax) errors = (errors + piece.toString()).slice(0, errorTextMax);
    });
    child.once('error', reject);
    child.once('close', (code, killed) => {
      resolve({ output: Buffer.concat(pieces), errors, ended: killed ?? `exit code ${code}` });
    });
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
  });
}

function said(errors: string): string {
  return errors.trim() === '' ? ', and it said nothing' : `, and it said: ${errors.trim()}`;
}

function textOf(command: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new OldListError(`${command} prints something that is not UTF-8 text`);
  }
}
