// What the agent knows of a board driver: how a job is put on a whole board (virtual, or behind a lab's own
// program), how its console flows, how it ends. Types only; no driver is named here, the command line picks.

/** What to load and how to run it. Paths are absolute and local to the agent. */
export interface BoardJob {
  /** Local copies in the order the user gave; `name` is the user's own file name, for messages. */
  readonly files: readonly BoardFile[];
  /** Device tree of `-b`. */
  readonly dtbPath?: string;
  /** `-L`: boot Linux over the network. */
  readonly linux: boolean;
  /** FPGA bitstream of `--bitstream`. */
  readonly bitstreamPath?: string;
  /** `-c` and `-e` as the user gave them, for drivers that watch by themselves; '' never matches. */
  readonly endText: string;
  readonly errorText: string;
  /** `-d`; -1 means no limit. */
  readonly timeoutSeconds: number;
  /** `-a`: the board stays on after the end text, and its console takes input. */
  readonly keepOn: boolean;
  /** Where a program that writes its own log may put it. */
  readonly logPath: string;
  /** Private folder of this job; the driver may write there, the agent removes it. */
  readonly workFolder: string;
}

export interface BoardFile {
  readonly path: string;
  readonly name: string;
}

/** What a driver tells its caller while it works. Hooks must not throw. */
export interface BoardHooks {
  /** Every console byte, in order. The callee copies what it keeps: the buffer is the driver's. */
  readonly onConsole: (bytes: Uint8Array) => void;
  /**
   * Asked behind each chunk: a promise asks to read on only when it resolves, since the disk is behind. It never
   * rejects. A driver whose board can be made to wait heeds it.
   */
  readonly holdConsole?: () => Promise<void> | undefined;
  /** Called synchronously right after a child process is made, before it is used. */
  readonly onChild?: (child: { readonly pid: number }) => void;
  /** Put into each child's environment, by which leftovers are found after a crash. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a session ended. `stopped` is only ever the answer to `stop()` or to an aborted signal. */
export type BoardExit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'stopped' }
  /** The board was started and the guest gave up by itself: triple fault, or halted for ever. */
  | { readonly kind: 'crashed'; readonly message: string }
  /** The image can't be booted: the user's fault, not the lab's. */
  | { readonly kind: 'boot-failed'; readonly message: string }
  /** The lab's fault: a missing program, a thread that died, a file that went away. */
  | { readonly kind: 'fault'; readonly message: string };

export interface BoardSession {
  /** Never rejects. No console byte comes after it resolved. */
  readonly exit: Promise<BoardExit>;
  /** Bytes for the board's console; dropped without error where the board takes no input or has ended. */
  write(bytes: Uint8Array): void;
  /** Ends everything, grandchildren included; resolves when nothing of it runs any more. May be called twice. */
  stop(): Promise<void>;
}

export interface BoardDriver {
  /**
   * true: the board's own program watches for the texts and the time, and its exit code is the verdict;
   * false: the agent watches.
   */
  readonly watches: boolean;
  /**
   * Puts the job on the board. What goes wrong with the job shows in `exit`, so that there is one place to look.
   * Aborting the signal, before or after, is the same as `stop()`.
   */
  start(job: BoardJob, hooks: BoardHooks, options: { readonly signal: AbortSignal }): Promise<BoardSession>;
  /**
   * Turns the board off; doing so twice is fine. Ends a job that is left on the board. Rejects with an Error whose
   * message says what went wrong.
   */
  powerOff(hooks: PowerHooks, options: PowerOffOptions): Promise<void>;
  /** Turns the board on and loads nothing; rejects like `powerOff`. Absent where it can't be switched on without a job. */
  powerOn?(hooks: PowerHooks, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Whether it is on; rejects like `powerOff`. Absent where nobody can tell. */
  powerStatus?(hooks: PowerHooks, options: { readonly signal: AbortSignal }): Promise<PowerStatus>;
  /**
   * The console without a job: powers nothing, and its session's end leaves the board as it is. Absent where there is
   * none without a running image.
   */
  openConsole?(hooks: BoardHooks, options: { readonly signal: AbortSignal }): Promise<BoardSession>;
}

/** What a driver needs that only switches the power. */
export type PowerHooks = Pick<BoardHooks, 'onChild' | 'env'>;

export interface PowerOffOptions {
  readonly signal: AbortSignal;
  /** The holder does it in the middle of a job: where power and console are apart, the job keeps its console. */
  readonly besideJob?: boolean;
}

export type PowerStatus = 'on' | 'off' | 'unknown';
