// What boards print and networks bring: random bytes and escape sequences through the matcher of end texts, the log that
// keeps them, Telnet, and the stamper of lines; cut anywhere, with the same outcome as in one piece. Patterns are bad too.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { LineStamper } from '../../cli/commands/line-stamper.ts';
import { EscapeKeys } from '../../cli/console/escape-keys.ts';
import { TelnetFilter } from '../../drivers/console/telnet.ts';
import { ByteLog } from '../../platform/byte-log.ts';
import { type CompiledPattern, compilePattern } from '../../platform/match/compile.ts';
import { StreamMatcher } from '../../platform/match/stream-matcher.ts';
import type { Random } from '../simulation/random.ts';
import { bytesOf } from './frame-bytes.ts';
import { hostileText } from './hostile-text.ts';
import type { Kind, Target } from './kind.ts';

interface ConsoleInput {
  readonly patterns: readonly string[];
  /** One byte a letter. */
  readonly text: string;
  readonly cuts: readonly number[];
}

const patterns = [
  'done',
  'a|b|c*',
  '(x+x+)+y',
  '\\x1b\\[[0-9;]*m',
  '(?i)PANIC',
  '^$',
  '\\bend\\b',
  '$',
  'a{1000}',
  '(a{100}){100}',
  '[^a-z]*z',
  '(?P<n>a)(?P<n>b)',
  '\\1',
  '(?=a)',
  '[z-a]',
  '[[:foo:]]',
  '\\',
  '(',
  '\\p{Greek}',
  '\\C',
  'é+',
];
const spoken = [
  'done',
  'panic',
  'end',
  '\u001b[31m',
  '\u001b]0;t\u0007',
  '\r\n',
  '\u00ff\u00fb\u0001',
  'é',
  'xxxx',
  '\u0000',
];

function make(random: Random): ConsoleInput {
  const pattern = (): string =>
    random.chance(0.6)
      ? random.pick(patterns)
      : random.chance(0.5)
        ? hostileText(random)
        : bytesOf(random, 8);
  let text = '';
  for (let left = random.between(0, 12); left > 0; left -= 1)
    text += random.chance(0.5) ? random.pick(spoken) : bytesOf(random, random.between(0, 60));
  if (random.chance(0.02)) text = text.repeat(random.between(100, 2_000)).slice(0, 300_000);
  return {
    patterns: Array.from({ length: random.between(0, 2) }, pattern),
    text,
    cuts: Array.from({ length: random.between(0, 6) }, () => random.between(1, 50)),
  };
}

class ConsoleTarget implements Target {
  readonly #folder: string;
  #logs = 0;

  constructor(folder: string) {
    this.#folder = join(folder, 'logs');
  }

  async take(input: unknown): Promise<string[]> {
    const { patterns: sources, text, cuts } = input as ConsoleInput;
    const bytes = Buffer.from(text, 'latin1');
    const pieces = cut(bytes, cuts);
    return [
      ...checkMatcher(sources, bytes, pieces),
      ...checkTelnet(bytes, pieces),
      ...checkKeys(bytes, pieces),
      ...checkStamps(bytes, pieces),
      ...(await this.#checkLog(bytes, pieces)),
    ];
  }

  /** What went in comes out again, from any log that is long enough. */
  async #checkLog(bytes: Buffer, pieces: readonly Buffer[]): Promise<string[]> {
    this.#logs += 1;
    // Files cost more than the rest together.
    if (this.#logs % 25 !== 0) return [];
    const folder = join(this.#folder, String(this.#logs));
    const log = await ByteLog.open(folder, { bytesMax: 1_000_000, headBytes: 64, segmentBytes: 100_000 });
    try {
      await Promise.all(pieces.map((piece, index) => log.append(piece, index)));
      const ranges = await log.read({ from: 0, bytesMax: 2_000_000, splitByTime: true });
      const out = Buffer.concat(
        ranges.map((range) => (range.kind === 'bytes' ? range.bytes : Buffer.alloc(0))),
      );
      return out.equals(bytes) ? [] : [`the log of ${bytes.length} bytes has other ones`];
    } finally {
      await log.close();
      rmSync(folder, { recursive: true });
    }
  }

  async check(): Promise<string[]> {
    return [];
  }

  async close(): Promise<void> {}
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const length of lengths) {
    pieces.push(bytes.subarray(from, from + length));
    from += length;
  }
  return [...pieces, bytes.subarray(from)];
}

function checkMatcher(sources: readonly string[], whole: Buffer, pieces: readonly Buffer[]): string[] {
  const compiled: CompiledPattern[] = [];
  for (const source of sources) {
    const result = compilePattern(source);
    if (result.ok) compiled.push(result.pattern);
    else if (result.message === '' || result.column < 1 || result.column > [...source].length + 1)
      return [`a pattern is refused without a word or a place: ${JSON.stringify(result)}`];
  }
  if (compiled.length === 0) return [];
  const one = JSON.stringify(matchOf(compiled, [whole]));
  const many = JSON.stringify(matchOf(compiled, pieces));
  return one === many ? [] : [`in one piece the match is ${one}, in several ${many}`];
}

function matchOf(compiled: readonly CompiledPattern[], pieces: readonly Buffer[]): unknown {
  const matcher = new StreamMatcher(compiled);
  for (const piece of pieces) {
    const match = matcher.feed(piece);
    if (match) return match;
  }
  return matcher.finish();
}

function checkTelnet(whole: Buffer, pieces: readonly Buffer[]): string[] {
  const through = (parts: readonly Buffer[]): string => {
    const filter = new TelnetFilter();
    const out = parts.map((part) => filter.receive(part));
    const bytes = Buffer.concat(out.map((one) => one.bytes));
    const answer = Buffer.concat(out.map((one) => one.answer));
    return `${bytes.toString('hex')} ${answer.toString('hex')}`;
  };
  if (through([whole]) !== through(pieces)) return ['Telnet depends on how bytes are cut'];
  // Sent to a server and back as it echoes, bytes are what they were.
  const [there, here] = [new TelnetFilter(), new TelnetFilter()];
  for (const filter of [there, here]) filter.receive(Buffer.from([255, 251, 0, 255, 253, 0]));
  const back = there.receive(here.escape(whole));
  return Buffer.from(back.bytes).equals(whole) ? [] : ['Telnet changes bytes that it sends'];
}

function checkKeys(whole: Buffer, pieces: readonly Buffer[]): string[] {
  const through = (parts: readonly Buffer[]): string => {
    const keys = new EscapeKeys();
    let bytes = '';
    for (const part of parts) {
      const taken = keys.take(part);
      bytes += taken.bytes.toString('hex');
      if (taken.leaves) return `${bytes} leaves`;
    }
    return bytes;
  };
  return through([whole]) === through(pieces) ? [] : ['keys depend on how they are cut'];
}

/** Without its stamps it is what came. */
function checkStamps(whole: Buffer, pieces: readonly Buffer[]): string[] {
  const stamper = new LineStamper();
  const stamped = Buffer.concat(pieces.map((piece) => stamper.stamp(piece, 0)));
  const length = '2026-11-24 21:02:03.197 '.length;
  const parts: Buffer[] = [];
  for (let at = 0; at < stamped.length; ) {
    const end = stamped.indexOf(0x0a, at + length);
    const next = end < 0 ? stamped.length : end + 1;
    parts.push(stamped.subarray(at + length, next));
    at = next;
  }
  return Buffer.concat(parts).equals(whole) ? [] : ['bytes are lost between the stamps'];
}

export const consoleKind: Kind = {
  name: 'console',
  share: 12,
  checkEvery: 1_000,
  make,
  open: async (folder) => new ConsoleTarget(folder),
};
