// What the old words promise, as data: one case is a call with its output and exit code, for every way to a lab.
// Shapes only.

/**
 * In words and output a lane's own names stand for: {A} and {B} boards that a program drives, {N} one that boots Linux
 * but takes no device tree, {D} one that takes it, {V} an emulated PC, {P} the pool of A and B, {alias} another name of
 * A, {me} the caller; in output also {time}, {host}, {mq} as it was called, {boards} one a line and {pools}.
 */
export interface Case {
  /** The promises that it keeps, as `table.ts` numbers them. */
  readonly rows: readonly string[];
  readonly name: string;
  /** Split at blanks where it is one text. */
  readonly words: string | readonly string[];
  /** Lines, each with its line feed. */
  readonly stdout: readonly string[];
  /** Instead of `stdout`: what that must match. */
  readonly matches?: RegExp;
  readonly exit: number;
  /** Default: nothing. `any`: where a reason for people follows. */
  readonly stderr?: 'any';
  /** Locks that are there before: board, key, user. */
  readonly given?: readonly Lock[];
  /** What happens while it runs, in order. */
  readonly meanwhile?: readonly Step[];
  /** Afterwards, by board: `FREE`, or `LOCKED` with user and key. */
  readonly left?: Readonly<Record<string, string>>;
  /** The journal of A since the job began, where that matters. */
  readonly journal?: readonly string[];
  /** A file that the run has written, and what is in it. */
  readonly log?: { readonly name: string; readonly holds: string };
  /** What the program of board A or D was called with. */
  readonly called?: RegExp;
  readonly stdin?: 'open';
  /** There is none. */
  readonly server?: 'none';
  /** It looks at the whole lab. */
  readonly alone?: true;
  /** Ways in which it can't be, and why. */
  readonly not?: Partial<Readonly<Record<WayName, string>>>;
}

export type WayName = 'on the host' | 'ssh://' | 'deploy/mq.sh';

export interface Lock {
  readonly board: 'A' | 'B';
  readonly key?: string;
  readonly words?: string;
  /** Another user, on the host. */
  readonly byOther?: true;
}

export type Step =
  | { readonly until: 'printed'; readonly text: string }
  | { readonly until: 'tickets'; readonly waiting: number }
  | { readonly until: 'locked'; readonly board: string }
  /** A command beside it, which ends: with 0 and nothing on stdout unless it is said. */
  | { readonly run: string; readonly stdout?: RegExp }
  | { readonly signal: NodeJS.Signals }
  | { readonly type: string }
  | { readonly end: 'input' | 'reader' };
