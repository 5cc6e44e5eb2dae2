// Between a shell's command line and candidates: which words stand there, and how a candidate must be written so that the
// shell takes it for the same text. Pure.
import { escapeText } from '../terminal/escape.ts';

export type Quote = '' | "'" | '"';

export interface TypedLine {
  /** The first is the program; the last is being typed, and may be empty. */
  readonly words: readonly string[];
  /** The quote that the last word is in. */
  readonly quote: Quote;
}

/** Splits a line of bash up to the cursor as bash would; only the command behind the last `;`, `|` or `&` counts. */
export function splitLine(line: string): TypedLine {
  let words: string[] = [];
  let word: string | undefined;
  let quote: Quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? '';
    if (character === '\\' && quote !== "'") {
      at += 1;
      word = (word ?? '') + (line[at] ?? '');
    } else if (quote !== '') {
      if (character === quote) quote = '';
      else word = (word ?? '') + character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (/[;|&]/.test(character)) {
      words = [];
      word = undefined;
    } else word = (word ?? '') + character;
  }
  return { words: [...words, word ?? ''], quote };
}

/** Those that begin as the word does; of a list such as `a,b` its last part counts, of `--key=x` what is behind. */
export function narrow(current: string, candidates: readonly string[]): string[] {
  const lead = /^(?:--[\w-]+=)?(?:.*,)?/s.exec(current)?.[0] ?? '';
  const typed = new Set(lead.split(','));
  return candidates
    .filter((candidate) => escapeText(candidate) === candidate && candidate !== '' && !typed.has(candidate))
    .map((candidate) => (candidate.startsWith(lead) ? candidate : lead + candidate))
    .filter((candidate) => candidate.startsWith(current));
}

/** Where bash begins a new word of its own, of which it replaces only the last. */
const breaks = /^.*[@><=;|&(:]/s;

/** As bash wants it: without what stands before its last word break, and quoted as the word is. */
export function forBash(candidates: readonly string[], current: string, quote: Quote): string[] {
  const cut = quote === '' ? (breaks.exec(current)?.[0].length ?? 0) : 0;
  return candidates.flatMap((candidate) => {
    if (quote !== '') return candidate.includes(quote) ? [] : [candidate];
    return [candidate.slice(cut).replace(/[^\w@%+=:,./~-]/gu, '\\$&')];
  });
}
