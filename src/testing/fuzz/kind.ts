// What each kind of bad input is to the one who throws it. Types only.
import type { Random } from '../simulation/random.ts';

export const kindNames = [
  'routes',
  'channel',
  'agent',
  'server',
  'config',
  'console',
  'names',
  'cli',
] as const;
export type KindName = (typeof kindNames)[number];

/** What the inputs of one kind are thrown at. */
export interface Target {
  /** Takes one input; answers with the promises that it broke. Rejecting is breaking one too. */
  take(input: unknown): Promise<readonly string[]>;
  /** Between inputs, and at the end: what they must not have broken together. */
  check(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Kind {
  readonly name: KindName;
  /** Of a hundred inputs, how many are of this kind. */
  readonly share: number;
  /** How many inputs lie between two checks. */
  readonly checkEvery: number;
  /** JSON, so that it can be shown and made smaller; bytes are text of one byte a letter. */
  make(random: Random, index: number): unknown;
  /** `folder` is there, and its own. */
  open(folder: string): Promise<Target>;
}
