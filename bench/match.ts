// How fast end and error texts are matched, in MB a second, each beside a bare scan of the same bytes in the same
// run. Ordinary patterns run over a console of boot lines; hostile ones over bytes made to keep as many of their
// positions active as can be. Touches nothing outside this process.

import { compilePattern } from '../src/platform/match/compile.ts';
import { StreamMatcher } from '../src/platform/match/stream-matcher.ts';

export interface MatchFigures {
  /** Patterns that ran at once, in order of precedence. */
  readonly patterns: readonly string[];
  readonly megabytesPerSecond: number;
  /** Of the bare scan's speed. */
  readonly ratio: number;
  /** The most that one pattern held. */
  readonly stateBytes: number;
}

const chunkBytes = 1 << 16;
const megabyte = 1e6;

const endText = 'All is well in the universe';
const onConsole = [
  [endText],
  ['(?i)kernel panic|oops:|BUG:|assert', endText],
  [
    '(?i)error|fail(ed|ure)|panic|fault|abort|unreachable|segv|timed? ?out|denied|corrupt',
    endText,
    'login:.*login:.*~',
  ],
  ['Booting.*login.*\\x00'],
  ['\\bpani[ck]s?\\b'],
  ['(?m)^never this line$'],
  ['A.{500}\\x00'],
];
const onLetters = [
  ['(a|b)*a(a|b){20}c'],
  ['(a+a+)+y'],
  ['(a?){50}a{50}z'],
  ['(.*)(.*)(.*)(.*)\\x00'],
  ['a.{500}\\x00'],
  ['a.{1000}\\x00.{1000}z'],
  ['a(ab|ba|aa|bb){50}c'],
];

/** Takes the median of `rounds` passes over `megabytes` of each, prints a line for each, and returns them. */
export function run({ megabytes = 100, rounds = 3 } = {}): MatchFigures[] {
  const figures = [
    ...onConsole.map((patterns) => measure(patterns, consoleChunk(), megabytes, rounds)),
    ...onLetters.map((patterns) => measure(patterns, letterChunk(), megabytes, rounds)),
  ];
  for (const { patterns, megabytesPerSecond, ratio, stateBytes } of figures) {
    const speed = `${megabytesPerSecond.toFixed(0)} MB/s, ${(100 * ratio).toFixed(0)} % of a bare scan`;
    console.log(`${speed}, ${(stateBytes / 1024).toFixed(0)} KiB a pattern: ${patterns.join('  and  ')}`);
  }
  return figures;
}

function measure(
  patterns: readonly string[],
  chunk: Buffer,
  megabytes: number,
  rounds: number,
): MatchFigures {
  const compiled = patterns.map((source) => {
    const result = compilePattern(source);
    if (!result.ok) throw new Error(`${source}, column ${result.column}: ${result.message}`);
    return result.pattern;
  });
  const chunks = Math.ceil((megabytes * megabyte) / chunkBytes);
  const speeds: number[] = [];
  const scanSpeeds: number[] = [];
  let stateBytes = 0;
  // The first round is there to warm up.
  for (let round = 0; round <= rounds; round++) {
    const matcher = new StreamMatcher(compiled);
    speeds.push(speedOf(chunks, () => matcher.feed(chunk) !== undefined));
    scanSpeeds.push(speedOf(chunks, () => sum(chunk) < 0));
    stateBytes = Math.max(...matcher.stateBytes);
  }
  const megabytesPerSecond = median(speeds.slice(1));
  return {
    patterns,
    megabytesPerSecond,
    ratio: megabytesPerSecond / median(scanSpeeds.slice(1)),
    stateBytes,
  };
}

/** MB a second of `chunks` calls, none of which may be true. */
function speedOf(chunks: number, take: () => boolean): number {
  const startedAt = performance.now();
  for (let count = 0; count < chunks; count++) if (take()) throw new Error('a pattern of the bench matched');
  return (chunks * chunkBytes) / megabyte / ((performance.now() - startedAt) / 1000);
}

/** Looks at every byte, and does as little as it can with it. */
function sum(bytes: Uint8Array): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at++) total += bytes[at] as number;
  return total;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] as number;
}

function consoleChunk(): Buffer {
  const lines = [
    '[    0.000000] Booting kernel on physical CPU 0x0\r\n',
    'login: \r\n',
    'A: usb 1-1: new device\r\n',
  ];
  return chunkOf((random) => lines[Math.floor(random * lines.length)] ?? '');
}

function letterChunk(): Buffer {
  return chunkOf((random) => (random < 0.5 ? 'a' : 'b'));
}

function chunkOf(part: (random: number) => string): Buffer {
  let seed = 1;
  const chunk = Buffer.alloc(chunkBytes, 'b');
  for (let at = 0; at < chunkBytes; ) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    at += chunk.write(part(seed / 2 ** 32), at, 'latin1') || 1;
  }
  return chunk;
}
