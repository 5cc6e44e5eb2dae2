// The records that make up the scheduler's state. Every record is immutable: a change replaces it whole, so
// that a change set can be stored, undone and replayed. Nothing here does anything.
//
// Times are scheduler milliseconds (see locking.md "Clock"); fields that end in WallAt are wall-clock
// milliseconds kept for display only.
import type { Gather, Offer, TicketPart } from './offer.ts';

/** Class of service. Smaller is served first. */
export type PriorityClass = 0 | 1 | 2;

/** A fencing token. Rises for ever: compare generation first, then number. */
export interface Token {
  readonly generation: number;
  readonly number: number;
}

export interface Limits {
  /** Tickets (waiting, parked or offered) one user may have. */
  readonly ticketsPerUser: number;
  /** Tickets waiting for one target set. */
  readonly queueLength: number;
  /** Queues of ad-hoc sets one board may be in. */
  readonly adHocQueuesPerBoard: number;
  /** Boards that one ticket may ask for. */
  readonly boardsPerTicket: number;
}

/** What the scheduler must know of a board; the rest of its configuration is not its business. */
export interface BoardDefinition {
  readonly name: string;
  readonly aliases: readonly string[];
  /** What selectors (`soc: imx6`) match on. */
  readonly attributes: Readonly<Record<string, string>>;
  /** How many files a job may bring: without -L, and with it. */
  readonly files: { readonly min: number; readonly max: number };
  readonly linuxFiles: { readonly min: number; readonly max: number };
  readonly takesLinux: boolean;
  readonly takesDtb: boolean;
  /** What its lock file is called, where that is not the board's name. */
  readonly lockFile?: string;
  readonly holdMaxSeconds?: number;
  readonly idleMaxSeconds?: number;
  /** The end of a lock leaves its power as it is. Absent: it is switched off. */
  readonly betweenHolders?: 'leave';
  /** Only an admin may release or take what another holds. Absent: anyone may. */
  readonly force?: 'admin';
  /** How to drive it, kept for the time when the configuration no longer says; the scheduler does not look inside. */
  readonly machine?: unknown;
}

export interface PoolDefinition {
  readonly name: string;
  readonly boards: readonly string[];
  /** True: of several free boards the one that has rested longest, instead of the first listed. */
  readonly spread: boolean;
}

export interface LabDefinition {
  readonly boards: readonly BoardDefinition[];
  readonly pools: readonly PoolDefinition[];
  readonly discipline: 'turns' | 'fifo';
  /** How long free boards are kept for a ticket for several, in a row. */
  readonly gatherSeconds: number;
  readonly limits: Limits;
  /** The folder in which old clients lock boards by files. Absent: there are no such clients. */
  readonly lockFiles?: string;
}

/** Numbers and modes of the whole lab. One record. */
export interface MetaRecord {
  /** The rising sequence that arrivals and grants draw from. */
  readonly sequence: number;
  /** The last fencing token drawn. */
  readonly token: Token;
  /** `settling`: after a start, nothing is granted yet. `draining`: the server is about to leave. */
  readonly mode: 'open' | 'settling' | 'draining';
  /** When settling ends at the latest. */
  readonly settleUntil?: number;
}

export type Health =
  | { readonly state: 'good' }
  | {
      readonly state: 'suspect' | 'broken';
      readonly by: string;
      readonly why: string;
      readonly sinceWallAt: number;
    };

/** In or out of service, with a note for people and who wrote it. */
export type Service =
  | { readonly state: 'in'; readonly by?: string; readonly note?: string; readonly sinceWallAt?: number }
  | {
      readonly state: 'draining' | 'out';
      readonly by: string;
      readonly note: string;
      readonly sinceWallAt?: number;
      /** When it comes back by itself. */
      readonly until?: number;
      readonly untilWallAt?: number;
    };

export interface BoardRecord {
  readonly name: string;
  readonly health: Health;
  readonly service: Service;
  readonly agent: 'present' | 'away';
  /**
   * True from a job's start, or from a holder's `on` or `cycle`, until a power off that worked: then the next holder must
   * not be let in before one, unless the board is one that is left as it is.
   */
  readonly mayBeOn: boolean;
  /** Lab faults in a row; a job that ends otherwise sets it to 0. */
  readonly faults: number;
  /** When it last came free; `spread` prefers the smallest. */
  readonly freeSince: number;
  /** The ticket for several boards that it is kept for while that gathers the others. Only of a free board. */
  readonly keptFor?: number;
  /** True when the configuration no longer names it: it waits for its lock to end, or broken, for somebody to look. */
  readonly removed: boolean;
  /** Of a removed one: how it is driven until it is gone. */
  readonly machine?: unknown;
  /** Names that this board had and that are still in use, removed: nobody gets it under the new one before they are gone. */
  readonly succeeds?: readonly string[];
  /** Why its lock file can't be made or read: nobody gets it meanwhile. */
  readonly fileFault?: { readonly why: string; readonly sinceWallAt: number };
}

export interface Ending {
  readonly reason: 'released' | 'forced' | 'reclaimed' | 'taken-back' | 'job-ended' | 'idle' | 'removed';
  readonly by: string;
  readonly note: string;
  readonly since: number;
  /** When the board counts as broken; undefined while the board's agent is away (the limit rests). */
  readonly limitAt?: number;
}

/** What a holder may do to a board's power. */
export type PowerAction = 'on' | 'off' | 'cycle';

/** The exclusive right to a board. Keyed by the board's name: two locks on one board cannot be stored. */
export interface LockRecord {
  readonly board: string;
  /** The token of the grant; it names this lock and no other. */
  readonly token: Token;
  /** The highest token drawn under this lock (its own, or its last job's): what a power off under it carries. */
  readonly lastToken: Token;
  readonly user: string;
  readonly key: string;
  readonly set: string;
  readonly state: 'granted' | 'held' | 'ending';
  /** `lock`: until released. `run`: lives and ends with its job. */
  readonly kind: 'lock' | 'run';
  /** The ticket it was granted to; 0: none, the scheduler's own. */
  readonly ticket: number;
  /** It has been given or stolen since: its ticket's client has no say over it any more. */
  readonly passedOn?: true;
  readonly grantedWallAt: number;
  readonly heldWallAt?: number;
  /** When the holder last said to want it: confirm, extend, or the change that made it theirs. Read for reminders only. */
  readonly claimedAt?: number;
  readonly holdSeconds: number;
  /** From here on the lock may be reclaimed. */
  readonly endsAt?: number;
  readonly endsWallAt?: number;
  /** The lab's longest hold, from the confirm: no extension goes past it. */
  readonly holdMaxAt?: number;
  /** The hold's end has passed (and was looked at): the next in line may have it. */
  readonly overdue: boolean;
  /** When it ends for want of use: last job, console write or power action under the lock plus the limit. Only where
   * idleMaxSeconds is set, and not while a job or a power action runs; a job that is only a console is no use. */
  readonly idleAt?: number;
  readonly idleMaxSeconds?: number;
  readonly ending?: Ending;
  /** The live job on the board, if any. */
  readonly job?: number;
  /** A `run -n` ticket to which the job slot is offered. */
  readonly slotTicket?: number;
  /** The power action of the holder that the agent has not answered; `request` names it. No job starts meanwhile. */
  readonly power?: { readonly request: string; readonly action: PowerAction };
  /** An `on` or `cycle` has gone out since the last job was started: that job's report may be older than it. */
  readonly switchedOn?: true;
  /** The board, which is left as it is, may have been on at the grant. */
  readonly foundOn?: true;
  /** It was taken by a lock file that we did not make: `fileId` names that file. */
  readonly origin?: 'file';
  readonly fileId?: string;
  /**
   * Its lock file, where the lab has such. Of our own: being made, made, or gone before the lock was over. Of a lock
   * from a file: there, leaving (it is to be removed, and then the lock is over), or gone.
   */
  readonly file?: 'making' | 'made' | 'there' | 'leaving' | 'gone';
  readonly note: string;
}

/** A lock file that we did not make, as it was read. */
export interface FoundFile {
  /** Names this file among all that ever had its path. */
  readonly id: string;
  readonly user: string;
  readonly key: string;
  readonly sinceWallAt: number;
  /** 0: no end. */
  readonly holdSeconds: number;
}

/** What a job needs of a board. */
export interface Needs {
  readonly fileCount: number;
  readonly linux: boolean;
  readonly dtb: boolean;
}

/** Boards of which one will do, as canonical names. */
export type SingleTarget =
  | { readonly kind: 'board'; readonly name: string }
  | { readonly kind: 'pool'; readonly name: string }
  | { readonly kind: 'boards'; readonly names: readonly string[] }
  | { readonly kind: 'where'; readonly attributes: Readonly<Record<string, string>> };

/** So many of these. */
export interface Need {
  readonly target: SingleTarget;
  /** Whole, at least 1. */
  readonly count: number;
}

/** Which boards a ticket asks for; `several`: all of them together or none, and no board twice. */
export type TargetSpec = SingleTarget | { readonly kind: 'several'; readonly needs: readonly Need[] };

export type TicketOutcome =
  | {
      readonly kind: 'confirmed';
      readonly board: string;
      readonly token: Token;
      /** Of a ticket for several: every board, the first being `board`. */
      readonly all?: readonly { readonly board: string; readonly token: Token }[];
    }
  | { readonly kind: 'started'; readonly board: string; readonly token: Token }
  | {
      readonly kind: 'withdrawn';
      readonly by: string;
      readonly why: 'client' | 'cancelled' | 'grace' | 'gone' | 'forced';
    }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'refused'; readonly why: Refusal };

/** Why a request can never be granted. */
export type Refusal =
  | { readonly kind: 'already-yours'; readonly board: string; readonly token: Token; readonly key: string }
  | { readonly kind: 'no-board'; readonly message: string }
  | { readonly kind: 'not-granted' }
  | { readonly kind: 'not-holder'; readonly board: string }
  | { readonly kind: 'wrong-key'; readonly board: string }
  | { readonly kind: 'lock-ended'; readonly board: string }
  | { readonly kind: 'limit'; readonly limit: keyof Limits; readonly value: number };

export interface TicketRecord {
  /** Its arrival number, which is also its name to people. */
  readonly id: number;
  readonly user: string;
  readonly key: string;
  readonly set: string;
  readonly priority: PriorityClass;
  /** `lock`: a board. `run`: a board, and a job on it. `slot`: the job slot of a lock the user has (`run -n`). */
  readonly kind: 'lock' | 'run' | 'slot';
  readonly target: TargetSpec;
  readonly needs?: Needs;
  /** The queue of its target set; the empty string for slot tickets, and for those that have parts. */
  readonly queue: string;
  /** Slot tickets only: the boards whose lock would do, in listed order. */
  readonly slotBoards?: readonly string[];
  /** A turn it had reached before a configuration change moved it to another queue. */
  readonly turnFloor: number;
  /** Of a ticket for several boards: what it needs, each in a queue of its own. */
  readonly parts?: readonly TicketPart[];
  readonly gather?: Gather;
  readonly state: 'waiting' | 'parked' | 'offered' | 'ended';
  /** When a parked ticket's client must be back. */
  readonly graceUntil?: number;
  /** Parked by a start: settling waits for this client. */
  readonly settling: boolean;
  readonly deadline?: number;
  readonly holdSeconds: number;
  readonly submittedWallAt: number;
  readonly offer?: Offer;
  /** The job to start at the confirm; the scheduler does not look inside. */
  readonly job?: unknown;
  /** That job only follows the console: it neither changes the power nor counts as use. */
  readonly consoleOnly?: true;
  readonly detached: boolean;
  readonly note: string;
  readonly outcome?: TicketOutcome;
}

export type Verdict = 'completed' | 'error-text' | 'timed-out' | 'boot-failed' | 'lab-fault' | 'cancelled';

export interface JobResult {
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly detail: string;
  /** Of a board's own script. */
  readonly exitCode?: number;
  /** Bytes of console in all, and where in it the end or error text ended; kept for people, not used here. */
  readonly consoleLength?: number;
  readonly matchEnd?: number;
  /** Whether the board may still be on. */
  readonly mayBeOn: boolean;
}

export interface JobRecord {
  /** The number of the ticket it came from. */
  readonly id: number;
  readonly board: string;
  readonly user: string;
  readonly key: string;
  readonly set: string;
  /** The token of the lock it runs under, and its own, which every action of it carries. */
  readonly lockToken: Token;
  readonly token: Token;
  /** `starting`: the agent has not said that it took it. */
  readonly state: 'starting' | 'running' | 'ending' | 'ended';
  readonly spec: unknown;
  /** Its client has said that it is done with it (-a, -r): the agent ends it as completed. */
  readonly finishing?: boolean;
  /** It runs under a lock that outlives it (`run -n`). */
  readonly keepsLock: boolean;
  /** It only follows the console: the power is as it was when it ends, and only what is written to it is use. */
  readonly consoleOnly?: true;
  readonly detached: boolean;
  /** Its client is away, and must be back by then. */
  readonly graceUntil?: number;
  /** It is being stopped under a lock that stays; past this its board counts as broken. */
  readonly endingLimitAt?: number;
  readonly startedWallAt: number;
  readonly endedWallAt?: number;
  /** Why it is being ended before its own end. */
  readonly cancelledBy?: { readonly by: string; readonly why: string };
  readonly result?: JobResult;
}

/** An ad-hoc target set that has tickets; pools and boards need no such record. */
export interface QueueRecord {
  readonly id: string;
  readonly boards: readonly string[];
}

/** The number of a set's last grant in a queue; kept while that set has other tickets there. */
export interface TurnRecord {
  readonly queue: string;
  readonly set: string;
  readonly number: number;
}

/** Entities and the type of their records. The keys are: '' for meta and lab, else the record's own name. */
export interface Entities {
  meta: MetaRecord;
  lab: LabDefinition;
  board: BoardRecord;
  lock: LockRecord;
  ticket: TicketRecord;
  job: JobRecord;
  queue: QueueRecord;
  turn: TurnRecord;
}
export type EntityName = keyof Entities;

/** One record before and after. Absent: there was none. */
export interface Change<E extends EntityName = EntityName> {
  readonly entity: E;
  readonly key: string;
  readonly before: Entities[E] | undefined;
  readonly after: Entities[E] | undefined;
}

export function compareTokens(a: Token, b: Token): number {
  return a.generation - b.generation || a.number - b.number;
}

export function formatToken(token: Token): string {
  return `${token.generation}.${token.number}`;
}

export function parseToken(text: string): Token {
  const [generation, number] = text.split('.').map(Number);
  if (generation === undefined || number === undefined || !Number.isSafeInteger(generation + number)) {
    throw new Error(`not a fencing token: ${text}`);
  }
  return { generation, number };
}

export function sameToken(a: Token, b: Token): boolean {
  return a.generation === b.generation && a.number === b.number;
}
