// Simple case folding of characters beyond ASCII, from the Unicode tables that the JavaScript engine carries.
// ASCII letters fold among themselves only (byte-set.ts): unlike in RE2, (?i)k does not match the Kelvin sign.

/** The last character with another case (Adlam) lies below this. */
const CASED_END = 0x1e944;

let cases: ReadonlyMap<number, readonly number[]> | undefined;

/** All characters beyond ASCII that have another case, each with the other members of its group. */
export function otherCases(): ReadonlyMap<number, readonly number[]> {
  cases ??= collect();
  return cases;
}

function collect(): Map<number, readonly number[]> {
  const groups = new Map<number, Set<number>>();
  for (let code = 0x80; code < CASED_END; code++) {
    if (code === 0xd800) code = 0xe000;
    const text = String.fromCodePoint(code);
    for (const other of [text.toLowerCase(), text.toUpperCase()]) {
      if (other !== text && isSimpleFold(text, other)) join(groups, code, other.codePointAt(0) as number);
    }
  }
  return new Map(
    Array.from(groups, ([code, group]) => [code, [...group].filter((member) => member !== code)]),
  );
}

/** Lower and upper case also know ß → SS and ı → I, which are no simple folds; /iu is the judge. */
function isSimpleFold(text: string, other: string): boolean {
  const code = other.codePointAt(0) as number;
  return other === String.fromCodePoint(code) && code >= 0x80 && new RegExp(`^${text}$`, 'iu').test(other);
}

function join(groups: Map<number, Set<number>>, one: number, other: number): void {
  const joined = new Set([one, other, ...(groups.get(one) ?? []), ...(groups.get(other) ?? [])]);
  for (const member of joined) groups.set(member, joined);
}
