/** Values of a lab's file whose shape may be partly wrong. Pure. */
import type { Path, Source } from './source.ts';

export interface Lab {
  source: Source;
  /** Whether nothing at or below this path is wrong. */
  isSound(path: Path): boolean;
}

/** Undefined where there is none. */
export function valueAt(source: Source, path: Path): unknown {
  let value = source.value;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}
