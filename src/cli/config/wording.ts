/** Words for places and values in a lab's file, as its errors say them. Pure. */
import { nearestName } from './nearest.ts';
import type { Path } from './source.ts';

/** `board 'sabre'`, `path of machine of board 'sabre'`, `entry 2 of pool 'x86_pool'`, `limits`. */
export function thingAt(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the file';
  const around = path.slice(0, -1);
  if (around.length === 1 && around[0] === 'boards') return `board '${last}'`;
  if (around.length === 1 && around[0] === 'pools') return `pool '${last}'`;
  if (around.length === 1 && around[0] === 'types') return `type '${last}'`;
  if (around.length === 1 && around[0] === 'power_units') return `power unit '${last}'`;
  const name = /^\d+$/.test(last) ? `entry ${Number(last) + 1}` : last;
  return around.length === 0 ? name : `${name} of ${thingAt(around)}`;
}

/** ` in board 'sabre'`; nothing at the top of the file. */
export function inThing(path: Path): string {
  return path.length === 0 ? '' : ` in ${thingAt(path)}`;
}

/** `. Did you mean 'arch'?`, or nothing where no candidate is near. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const nearest = nearestName(word, candidates);
  return nearest === undefined ? '' : `. Did you mean '${nearest}'?`;
}

/** The same out of a few, which are named where none is near. */
export function choice(word: string, candidates: readonly string[]): string {
  return suggestion(word, candidates) || `. There are: ${candidates.join(', ')}`;
}

/** A value in few words: `'lots'`, `a list`, `empty`. */
export function shown(value: unknown, text: string | undefined): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const word = text ?? String(value);
  return `'${word.length > 60 ? `${word.slice(0, 60)}…` : word}'`;
}
