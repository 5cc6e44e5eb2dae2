// What clients of a lab saw, as it was recorded: every call with its answer, what they were told unasked, when their lines
// were lost, and what the boards themselves noted. Plain data, so that it can be kept in a file. Times are milliseconds of
// one monotonic clock.

/** One request and what came of it. Without `doneAt` nobody knows whether it was carried out. */
export interface Call {
  readonly id: number;
  readonly client: string;
  /** An operation of the protocol; or `mq` with its first word, for a command that ran as a process. */
  readonly op: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly at: number;
  doneAt?: number;
  /** The answer's body; of a command `{ code, stdout }`. */
  answer?: unknown;
  /** The code of a refusal. */
  error?: string;
}

/** Something that a client was told of a ticket of its own. */
export interface News {
  readonly client: string;
  readonly at: number;
  readonly view: { readonly state: string; readonly ticket: number } & Readonly<Record<string, unknown>>;
}

/** From when to when a client could not be reached: its line was lost, or it was stopped. No end: for ever. */
export interface Absence {
  readonly client: string;
  readonly at: number;
  endedAt?: number;
  /** Its process has ended, or its line was closed for good. */
  readonly isEnd: boolean;
}

/** One line of a board's journal, in the order in which the board was touched. */
export interface Touch {
  readonly board: string;
  /** `overlap`: something else was at the board at that moment. */
  readonly what: 'start' | 'end' | 'off' | 'overlap';
  /** The label that the job's image carries; empty for a power off. */
  readonly label: string;
}

/** A job as it stood when all was over. */
export interface JobEnd {
  readonly id: number;
  readonly state: string;
  readonly verdict?: string;
  readonly detail?: string;
  readonly console: string;
  /** The server said that this is all of it. */
  readonly isWhole: boolean;
}

/** What befell the lab. */
export interface Event {
  readonly at: number;
  readonly what: string;
}

export interface History {
  readonly seed: number;
  /** It came to its end: everything was given back, and the jobs were asked for. */
  readonly isOver: boolean;
  readonly boards: readonly string[];
  readonly pools: Readonly<Record<string, readonly string[]>>;
  readonly calls: readonly Call[];
  readonly news: readonly News[];
  readonly absences: readonly Absence[];
  readonly touches: readonly Touch[];
  readonly jobs: readonly JobEnd[];
  readonly events: readonly Event[];
}

/** What a job's image prints when nothing goes wrong. */
export function consoleOf(label: string, lines: number): string {
  const all = Array.from({ length: lines }, (_, at) => `${label} says ${at + 1}\n`);
  return `${all.join('')}${label} is done\n`;
}

/** Tokens as numbers that can be compared: the generation first, then the number. */
export function tokenNumber(token: string): number {
  const [generation = 0, number = 0] = token.split('.').map(Number);
  return generation * 1e10 + number;
}

export function tokenText(number: number): string {
  if (number < 0) return 'a token that nobody saw';
  return `${Math.floor(number / 1e10)}.${number % 1e10}`;
}
