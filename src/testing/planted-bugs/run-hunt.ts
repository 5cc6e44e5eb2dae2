// Starts a hunt for one planted bug in a process of its own, and reads what it took.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { PlantedBug } from './bugs.ts';

export interface HuntResult {
  readonly bug: string;
  readonly found: boolean;
  /** Scheduler steps until then, over all seeds. */
  readonly steps: number;
  readonly seed?: number;
  /** The promise that was broken. */
  readonly problem?: string;
  /** The fewest commands that were found to break a promise of that kind. */
  readonly few?: FewCommands;
}

export interface FewCommands {
  readonly commands: number;
  readonly problem: string;
  readonly trace: readonly string[];
}

export interface HuntOptions {
  readonly stepsEach: number;
  readonly seedsMax: number;
  readonly signal: AbortSignal;
  /** Where to look: the scheduler alone, or the whole lab. */
  readonly in?: 'scheduler' | 'lab';
  /** For so long the commands that broke it are made fewer; of the scheduler only. Absent: not at all. */
  readonly shrinkMs?: number;
}

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Rejects where the hunt itself failed, or was aborted. */
export async function runHunt(
  { name: bug, seed = 1 }: PlantedBug,
  { stepsEach, seedsMax, signal, in: where = 'scheduler', shrinkMs = 0 }: HuntOptions,
): Promise<HuntResult> {
  const numbers = [stepsEach, seedsMax, seed, shrinkMs].map(String);
  const words = [
    '--import',
    pathOf('plant.ts'),
    pathOf(where === 'lab' ? 'hunt-whole.ts' : 'hunt.ts'),
    ...numbers,
  ];
  const env = { ...process.env, MQ_PLANTED_BUG: bug };
  const child = spawn(process.execPath, words, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [out, said, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`the hunt for '${bug}' ended with ${code}: ${said}`);
  return { bug, ...(JSON.parse(out) as Omit<HuntResult, 'bug'>) };
}
