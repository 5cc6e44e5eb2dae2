/** Finds the files that a lab's file includes. Reads folders, and no file. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ConfigProblem } from './problem.ts';
import type { Path, Source } from './source.ts';

const filesMax = 1_000;

/**
 * Paths are seen from the folder of the lab's file. A `*` in the name of the file stands for any letters; what begins
 * with a dot is left out. In the order of the entries, and of the names within one; each file once.
 */
export async function findIncluded(
  source: Source,
  labPath: string,
): Promise<{ paths: string[]; problems: ConfigProblem[] }> {
  const problems: ConfigProblem[] = [];
  const paths: string[] = [];
  for (const { pattern, path } of entriesOf(source)) {
    try {
      paths.push(...(await matching(join(dirname(labPath), pattern), pattern)));
    } catch (cause) {
      const message = `'${pattern}' can't be included: ${(cause as Error).message}`;
      problems.push({ ...source.valuePlace(path), message });
    }
  }
  const own = resolve(labPath);
  const all = [...new Map(paths.map((path) => [resolve(path), path])).values()];
  const others = all.filter((path) => resolve(path) !== own);
  if (others.length <= filesMax) return { paths: others, problems };
  const message = `includes ${others.length} files, and ${filesMax} is the most`;
  return { paths: [], problems: [...problems, { ...source.keyPlace(['include']), message }] };
}

/** Only what has the shape of the schema; the rest is told there. */
function entriesOf(source: Source): { pattern: string; path: Path }[] {
  const include = (source.value as { include?: unknown } | null | undefined)?.include;
  const all: unknown[] = Array.isArray(include) ? include : [include];
  return all.flatMap((pattern, index) => {
    const path = Array.isArray(include) ? ['include', String(index)] : ['include'];
    return typeof pattern === 'string' && pattern !== '' ? [{ pattern, path }] : [];
  });
}

async function matching(joined: string, pattern: string): Promise<string[]> {
  const full = pattern.startsWith('/') ? pattern : joined;
  const [folder, name] = [dirname(full), basename(full)];
  if (folder.includes('*')) throw new Error('only the name of a file may have a *, not a folder');
  if (!name.includes('*')) return [full];
  const entries = await readdir(folder, { withFileTypes: true });
  const pieces = name.split('*');
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && fits(entry.name, pieces))
    .map((entry) => join(folder, entry.name))
    .sort();
}

/** Whether the pieces stand in the name in this order, the first at its beginning and the last at its end. */
function fits(name: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - last.length;
}
