// Text, numbers and values that somebody sends who means no good, by chance from a seed. Pure.
import type { Random } from '../simulation/random.ts';

const esc = '\u001b';

/** What moves cursors, forges lines, turns writing round, ends strings early, leaves folders or changes prototypes. */
const nasty: readonly string[] = [
  '',
  '0',
  ' ',
  '-f',
  '--force',
  '--',
  `${esc}[2J${esc}[H`,
  `${esc}]0;title\u0007`,
  `${esc}]52;c;cm0gLXJm\u0007`,
  `${esc}P1;1|x${esc}\\`,
  '\u009b31mred\u009b0m',
  '\u009d0;title\u009c',
  '\u0090q\u009c',
  '\u0000',
  'a\u0000b',
  '\u007f\u0008\u0008',
  '\r\nHTTP/1.1 200 OK\r\n\r\n',
  'line\nmq: board is yours',
  '\u2028\u2029\u0085',
  '\u202eevil\u202c',
  '\u2066x\u2069\u200f\u200e\u061c',
  '\ud800',
  'x\udfff',
  '\udfff\ud800',
  '\ufeffbom',
  '\u200b\u200d\u2060',
  '\u0430n\u0430',
  'ａｎａ',
  '\u0301\u0301\u0301',
  '𝒶𝓃𝒶',
  '👩‍👩‍👧',
  '../../../../etc/passwd',
  '..%2f..%2fetc',
  '%2e%2e/%2e%2e/x',
  '..\\..\\x',
  '/etc/passwd',
  './.',
  '..',
  '.',
  '~root',
  'con',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '$(reboot)',
  '`reboot`',
  "' OR 1=1; --",
  '"; DROP TABLE lock; --',
  '<script>',
  '{{7*7}}',
  '{board}{lab}',
  '%s%n%x',
  'a,b',
  'a=b,c=d',
  '=,=,',
  'NaN',
  'null',
  'true',
  '1e999',
  '9'.repeat(40),
];

export function hostileText(random: Random): string {
  const kind = random.between(0, 9);
  if (kind < 5) return random.pick(nasty);
  if (kind === 5) return `${random.pick(nasty)}${random.pick(nasty)}`;
  if (kind === 6) return random.pick(nasty).repeat(random.between(1, 300)).slice(0, 5_000);
  if (kind === 7) return randomCharacters(random, random.between(0, 60));
  if (kind === 8) return String(hostileNumber(random));
  return random.chance(0.05) ? 'x'.repeat(random.between(4_000, 200_000)) : 'ordinary';
}

/** From all of Unicode, halves of pairs included. */
export function randomCharacters(random: Random, length: number): string {
  let text = '';
  for (let at = 0; at < length; at += 1) {
    const top = random.pick([0x20, 0x7f, 0xa0, 0x3000, 0xffff, 0x10ffff]);
    text += String.fromCodePoint(random.between(0, top));
  }
  return text;
}

/** A name as labs have it, or one made of hostile text. */
export function hostileWord(random: Random, words: readonly string[]): string {
  return random.chance(0.7) ? random.pick(words) : hostileText(random);
}

const numbers: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-9,
  2 ** 31,
  2 ** 32,
  2 ** 32 - 1,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  1e21,
  1e308,
  -1e308,
  31_536_000,
  31_536_001,
];

export function hostileNumber(random: Random): number {
  return random.chance(0.7) ? random.pick(numbers) : random.between(-1_000, 1_000_000);
}

/** Any JSON, now and then deep or wide. */
export function hostileValue(random: Random, depth = 0): unknown {
  const kind = random.between(0, depth > 4 ? 4 : 9);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return hostileNumber(random);
    case 3:
    case 4:
      return hostileText(random);
    case 5:
      return deep(random.between(10, 2_000));
    case 6:
      return new Array(random.between(0, 3_000)).fill(random.pick([0, '', null, {}]));
    case 7:
      return Array.from({ length: random.between(0, 5) }, () => hostileValue(random, depth + 1));
    default:
      return hostileObject(random, depth);
  }
}

function hostileObject(random: Random, depth: number): object {
  const object: Record<string, unknown> = {};
  for (let left = random.between(0, 5); left > 0; left -= 1)
    setOwn(object, hostileText(random), hostileValue(random, depth + 1));
  return object;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Also `__proto__`, as a parser of JSON sets it. */
export function setOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
