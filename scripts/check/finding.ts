// What every rule of the check reports, and the text it looks at. Pure.

/** One breach of a rule. */
export type Finding = {
  /** Path from the root of the checkout, with forward slashes. */
  file: string;
  /** Counted from 1. */
  line: number;
  message: string;
};

/** A file as the rules see it; the text is the whole of it. */
export type SourceFile = { path: string; text: string };

/** How editors and terminals make a link of it. */
export function describe(finding: Finding): string {
  return `${finding.file}:${finding.line}: ${finding.message}`;
}

/** The line, counted from 1, of an offset in UTF-16 units. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
