// What may be asked of the scheduler, what it answers, and what it wants done afterwards. Types only.
//
// `step` (step.ts) takes one command and the time; it returns changes, audit events, a reply and effects. The
// server commits changes and audit first, and only then sends the reply and carries out the effects.
import type {
  FoundFile,
  JobRecord,
  JobResult,
  LabDefinition,
  LockRecord,
  Needs,
  PowerAction,
  PriorityClass,
  Refusal,
  TargetSpec,
  TicketOutcome,
  Token,
} from './records.ts';

/** Who asks, as the kernel or a checked credential says. */
export interface Caller {
  readonly user: string;
  /** May act on what is not theirs (`-f` under `force: admin`, draining, other people's jobs). */
  readonly admin: boolean;
}

export interface Submit {
  readonly caller: Caller;
  readonly kind: 'lock' | 'run' | 'slot';
  readonly target: TargetSpec;
  readonly key: string;
  readonly set: string;
  readonly priority: PriorityClass;
  readonly needs?: Needs;
  /** 0: no end. */
  readonly holdSeconds: number;
  /** 0: now or never. Absent: for ever. */
  readonly waitSeconds?: number;
  readonly job?: unknown;
  readonly consoleOnly?: true;
  readonly detached: boolean;
  readonly note: string;
  readonly reuse: boolean;
  /** Answer with the members looked at. */
  readonly members: boolean;
}

/** A board and its lock as it stood before the command. */
export interface Member {
  readonly board: string;
  readonly lock: LockRecord | undefined;
}

export type SubmitReply =
  | { readonly kind: 'waiting'; readonly ticket: number; readonly members: readonly Member[] }
  | {
      readonly kind: 'offered';
      readonly ticket: number;
      readonly board: string;
      readonly token: Token;
      readonly members: readonly Member[];
    }
  | { readonly kind: 'reused'; readonly lock: LockRecord; readonly members: readonly Member[] }
  | { readonly kind: 'refused'; readonly why: Refusal; readonly members: readonly Member[] };

export type ConfirmReply =
  /** `locks`: all that it took, the first being `lock`. */
  | { readonly kind: 'held'; readonly lock: LockRecord; readonly locks: readonly LockRecord[] }
  | { readonly kind: 'started'; readonly job: JobRecord }
  /** The grant was taken back; the ticket waits on (perhaps with a new offer already). */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'ended'; readonly outcome: TicketOutcome };

export interface ReleaseOutcome {
  readonly board: string;
  readonly outcome: 'released' | 'ending' | 'not-held' | 'wrong-key' | 'not-allowed';
  /** With `ending`: the lock that ends, so that its end can be told from that of the next one. */
  readonly token?: Token;
}

export type ChangeHolderReply =
  | { readonly kind: 'done'; readonly lock: LockRecord }
  | {
      readonly kind:
        | 'not-held'
        | 'wrong-key'
        | 'not-allowed'
        | 'from-file'
        | 'job-running'
        | 'switching'
        | 'reclaimed';
      readonly lock?: LockRecord;
    };

/** `sent`: the agent is told, under the newest token of the lock. */
export type PowerReply =
  | { readonly kind: 'sent'; readonly token: Token }
  | { readonly kind: 'not-held' | 'wrong-key' | 'reclaimed' | 'switching' | 'agent-away' };

export interface CommandTypes {
  /** First command after a start: parks clients, opens settling. */
  restart: { body: { readonly settleMs: number }; reply: undefined };
  /** `by`: who had it loaded; `system` at a start. */
  configure: {
    body: { readonly lab: LabDefinition; readonly by: string };
    reply: { readonly changed: boolean };
  };
  /** The server is about to leave: nothing is granted any more. */
  drain: { body: object; reply: undefined };
  submit: { body: Submit; reply: SubmitReply };
  confirm: {
    body: { readonly user: string; readonly ticket: number; readonly token: Token };
    reply: ConfirmReply;
  };
  withdraw: {
    body: { readonly caller: Caller; readonly ticket: number; readonly why: 'client' | 'cancelled' | 'gone' };
    reply: { readonly kind: 'withdrawn' | 'released' | 'ended' | 'unknown' | 'not-allowed' };
  };
  release: {
    body: {
      readonly caller: Caller;
      readonly boards: readonly string[];
      readonly key: string;
      readonly force: boolean;
      readonly token?: Token;
      readonly note: string;
    };
    reply: { readonly outcomes: readonly ReleaseOutcome[] };
  };
  extend: {
    body: {
      readonly caller: Caller;
      readonly board: string;
      readonly key: string;
      readonly holdSeconds: number;
    };
    reply: ChangeHolderReply;
  };
  give: {
    body: {
      readonly caller: Caller;
      readonly board: string;
      readonly key: string;
      readonly user: string;
      readonly newKey: string;
    };
    reply: ChangeHolderReply;
  };
  steal: {
    body: { readonly caller: Caller; readonly board: string; readonly newKey: string; readonly note: string };
    reply: ChangeHolderReply;
  };
  /** The old `-cancel`: the caller's waiting tickets for a target with exactly this key. */
  cancelWaiting: {
    body: { readonly caller: Caller; readonly target: TargetSpec; readonly key: string };
    reply: { readonly tickets: readonly number[] };
  };
  cancelJob: {
    body: { readonly caller: Caller; readonly job: number; readonly why: string };
    reply: { readonly kind: 'ending' | 'unknown' | 'not-allowed' };
  };
  /** The client of a kept-on job or of a reservation is done: it ends as completed, now or as soon as it is. */
  finishJob: {
    body: { readonly caller: Caller; readonly job: number };
    reply: { readonly kind: 'finishing' | 'unknown' | 'not-allowed' };
  };
  /** The ticket's or job's client is there (again). */
  attach: { body: { readonly ticket: number }; reply: { readonly kind: 'ticket' | 'job' | 'unknown' } };
  /** `gone`: its process is known to have ended. Else the grace begins. */
  detach: { body: { readonly ticket: number; readonly gone: boolean }; reply: undefined };
  /** The ticket's client has just answered a ping. */
  alive: { body: { readonly ticket: number }; reply: undefined };
  /** Boards that an agent drives now, with the jobs it knows. */
  agentPresent: {
    body: {
      readonly boards: readonly string[];
      readonly jobs: readonly { readonly id: number; readonly state: 'starting' | 'running' | 'ended' }[];
      readonly highest: Token;
    };
    reply: undefined;
  };
  agentAway: { body: { readonly boards: readonly string[] }; reply: undefined };
  jobStarted: { body: { readonly job: number; readonly token: Token }; reply: undefined };
  jobEnded: {
    body: { readonly job: number; readonly token: Token; readonly result: JobResult };
    reply: undefined;
  };
  poweredOff: {
    body: { readonly board: string; readonly token: Token; readonly ok: boolean; readonly detail: string };
    reply: undefined;
  };
  /** The board can't be driven: it is broken until somebody looks. */
  boardFailed: { body: { readonly board: string; readonly why: string }; reply: undefined };
  /** The holder switches the power of the board. `request`: names this one action, here and at the agent. */
  power: {
    body: {
      readonly caller: Caller;
      readonly board: string;
      readonly key: string;
      readonly action: PowerAction;
      readonly request: string;
    };
    reply: PowerReply;
  };
  /** The agent's answer to that: `ok`: it was carried out; else it was not, or nobody knows how far it came. */
  powered: {
    body: { readonly board: string; readonly request: string; readonly ok: boolean; readonly detail: string };
    reply: undefined;
  };
  /** Use under a lock, for idleMaxSeconds. */
  touch: { body: { readonly board: string; readonly token: Token }; reply: undefined };
  /** All of these boards or, where one is not there, none. */
  service: {
    body: {
      readonly caller: Caller;
      readonly boards: readonly string[];
      /** `note`: only the note, in service or out of it. */
      readonly action: 'drain' | 'resume' | 'note';
      readonly note: string;
      /** With `drain`: in service again after so long. */
      readonly seconds?: number;
    };
    reply: { readonly kind: 'done' | 'not-allowed' } | { readonly kind: 'unknown'; readonly board: string };
  };
  /** The lock file of this lock is made: only now is an offer told. What is said of a folder that was left is void. */
  lockFileMade: {
    body: { readonly folder: string; readonly board: string; readonly token: Token };
    reply: undefined;
  };
  /**
   * The lock file of a board was looked at, while its lock was the one with this token (or there was none): another's is
   * there, or none.
   */
  lockFileSeen: {
    body: {
      readonly folder: string;
      readonly board: string;
      readonly token?: Token;
      readonly found?: FoundFile;
    };
    reply: undefined;
  };
  /** Lock files of these boards can't be made or read, and why; without a why: they can again. */
  lockFileFault: {
    body: { readonly folder: string; readonly boards: readonly string[]; readonly why?: string };
    reply: undefined;
  };
  /** Time has passed. */
  tick: { body: object; reply: undefined };
}

export type CommandName = keyof CommandTypes;
export type Command = {
  [N in CommandName]: { readonly name: N; readonly body: CommandTypes[N]['body'] };
}[CommandName];
export type CommandOf<N extends CommandName> = { readonly name: N; readonly body: CommandTypes[N]['body'] };
export type ReplyOf<N extends CommandName> = CommandTypes[N]['reply'];

/** What the server does once the commit stands. All may be repeated or lost without harm to a promise. */
export type Effect =
  | {
      readonly kind: 'offer';
      readonly ticket: number;
      readonly board: string;
      readonly token: Token;
      /** Of a ticket for several: all of them. */
      readonly boards?: readonly string[];
    }
  | { readonly kind: 'ticket-waiting'; readonly ticket: number }
  | {
      readonly kind: 'ticket-ended';
      readonly ticket: number;
      readonly user: string;
      readonly outcome: TicketOutcome;
    }
  | { readonly kind: 'job-changed'; readonly job: JobRecord; readonly message?: string }
  | {
      readonly kind: 'lock-ended';
      readonly lock: LockRecord;
      readonly reason: string;
      readonly by: string;
      readonly note: string;
    }
  | { readonly kind: 'board-free'; readonly board: string; readonly token: Token }
  /** Ask the ticket's client whether it lives: a board is to be taken from somebody for it. */
  | { readonly kind: 'ping'; readonly ticket: number }
  | { readonly kind: 'start-job'; readonly job: JobRecord }
  | { readonly kind: 'finish-job'; readonly job: JobRecord }
  | { readonly kind: 'cancel-job'; readonly job: JobRecord; readonly why: string }
  | { readonly kind: 'power-off'; readonly board: string; readonly token: Token }
  /** `again`: it may have been said before; an agent that does not know it is not to begin it. */
  | {
      readonly kind: 'power';
      readonly board: string;
      readonly token: Token;
      readonly action: PowerAction;
      readonly request: string;
      readonly again: boolean;
    }
  /** The board's lock has changed, and its lock file may have to. */
  | { readonly kind: 'lock-file'; readonly board: string };

/** One line of the audit: who did what to which board, and why. */
export interface AuditEvent {
  readonly event: string;
  readonly by: string;
  readonly board?: string;
  readonly ticket?: number;
  readonly token?: string;
  readonly user?: string;
  readonly key?: string;
  readonly detail?: string;
}
