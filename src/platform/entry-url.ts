// Where the program's other entry points are: the file a thread or a child process starts with. Works from
// source (Node strips the types) and from the bundle, where all files lie flat in one folder. Pure, touches
// nothing; why it is so: docs/decisions/bundle-and-entry-points.md.

/**
 * The name under which the bundle holds an entry point: `store/sqlite/thread.ts` is `store-sqlite-thread.js`.
 * The build names its files so too.
 *
 * @param source path of the entry point within src, with forward slashes
 */
export function entryFileName(source: string): string {
  return `${source.replaceAll('/', '-').replace(/\.ts$/, '')}.js`;
}

/**
 * The URL to start a thread or a child process with. The entry point must stand in the list in scripts/build.ts;
 * a test checks that each one named in src does.
 *
 * @param source path of the entry point within src, written as a literal: `entryUrl('store/sqlite/thread.ts')`
 * @param from whose place to start at; left out, this file's own, which in the bundle is any of its files
 */
export function entryUrl(source: string, from: string = import.meta.url): URL {
  const isSource = from.endsWith('.ts');
  return isSource ? new URL(`../${source}`, from) : new URL(entryFileName(source), from);
}
