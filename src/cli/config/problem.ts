/** What is wrong with a configuration, and where. Imports nothing. */

export interface Place {
  file: string;
  /** Both count from 1; both are 0 where the file as a whole is meant. */
  line: number;
  column: number;
}

export interface ConfigProblem extends Place {
  message: string;
}

/** `lab.yaml:12:5: unknown key 'achr' in board 'sabre'. Did you mean 'arch'?` */
export function formatProblem(problem: ConfigProblem): string {
  const { file, line, column, message } = problem;
  return line === 0 ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

/** File by file in the order given, each in its own order; each problem once. */
export function sortProblems(problems: readonly ConfigProblem[], files: readonly string[]): ConfigProblem[] {
  const seen = new Set<string>();
  return [...problems]
    .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const text = formatProblem(problem);
      if (seen.has(text)) return false;
      seen.add(text);
      return true;
    });
}
