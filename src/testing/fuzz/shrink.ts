// Makes an input that breaks a promise smaller, as long as it still breaks one: leaves out parts, halves texts. Pure, but
// for asking whether it does.

/** Every value that is this one with one thing less, the largest cuts first. */
export function* smaller(value: unknown): Generator<unknown> {
  if (typeof value === 'string') {
    for (let size = Math.ceil(value.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < value.length; at += size) yield value.slice(0, at) + value.slice(at + size);
    }
  } else if (typeof value === 'number') {
    if (value !== 0) yield 0;
  } else if (Array.isArray(value)) {
    for (let size = Math.ceil(value.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < value.length; at += size) yield value.toSpliced(at, size);
    }
    for (const [at, item] of value.entries()) for (const less of smaller(item)) yield value.with(at, less);
  } else if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value);
    for (const [at] of entries.entries()) yield objectOf(entries.toSpliced(at, 1));
    for (const [at, [key, item]] of entries.entries()) {
      for (const less of smaller(item)) yield objectOf(entries.with(at, [key, less]));
    }
  }
}

function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries)
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  return object;
}

/**
 * @param breaks whether an input breaks the promise; what it throws counts as no
 * @param msMax how long it may take
 */
export async function shrink(
  input: unknown,
  breaks: (input: unknown) => Promise<boolean>,
  msMax: number,
): Promise<unknown> {
  let least = input;
  const endAt = performance.now() + msMax;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smaller(least)) {
      if (performance.now() > endAt) return least;
      if (!(await breaks(candidate).catch(() => false))) continue;
      least = candidate;
      isSmaller = true;
      break;
    }
  }
  return least;
}
