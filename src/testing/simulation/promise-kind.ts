// Which promise a sentence says was broken, whoever and whatever it names.

const names = /\b(b\d(-new)?|ana|bob|cyd|dee|eve|old|root|system)\b/g;

/** The sentence without names and numbers, and without what it lists. */
export function promiseKind(problem: string): string {
  const [line = ''] = problem.split('\n');
  return line
    .replace(/[({[].*/, '')
    .replace(names, 'X')
    .replace(/\d+(\.\d+)?/g, 'N')
    .replace(/N(, N)+/g, 'N');
}
