// What clients see of tickets, jobs, boards and the queue: schemas and their types. Shapes only; no logic.
import { Type } from 'typebox';
import { Instant, LockView, Priority, TicketId, Token, Verdict } from './schema.ts';

/** Why a ticket waits, typed; `text` is the same for people. */
export const Reason = Type.Object({
  kind: Type.Union([
    Type.Literal('held'),
    Type.Literal('ending'),
    Type.Literal('draining'),
    Type.Literal('out'),
    Type.Literal('agent-away'),
    Type.Literal('broken'),
    Type.Literal('behind'),
    Type.Literal('held-by-you'),
    Type.Literal('settling'),
    Type.Literal('no-slot'),
    Type.Literal('gathering'),
    Type.Literal('resting'),
    Type.Literal('kept'),
    /** Its lock file is being made, or lock files can't be made or read. */
    Type.Literal('lock-file'),
  ]),
  board: Type.Optional(Type.String()),
  by: Type.Optional(Type.String()),
  sinceAt: Type.Optional(Instant),
  untilAt: Type.Optional(Instant),
  text: Type.String(),
});
export type Reason = Type.Static<typeof Reason>;

/** How a ticket stands. Also the event that a client gets on its channel whenever it changes. */
export const TicketView = Type.Union([
  Type.Object({
    state: Type.Literal('waiting'),
    ticket: TicketId,
    /** Tickets that would be served before this one; an estimate. */
    place: Type.Optional(Type.Integer()),
    reasons: Type.Array(Reason),
    deadlineAt: Type.Optional(Instant),
  }),
  /** Of several boards `board` and `token` are the first's; the token stands for all of them. */
  Type.Object({
    state: Type.Literal('offered'),
    ticket: TicketId,
    board: Type.String(),
    token: Token,
    boards: Type.Optional(Type.Array(Type.String())),
  }),
  /** `locks`: of a ticket for several boards, all that it still has, the first being `lock`. */
  Type.Object({
    state: Type.Literal('held'),
    ticket: TicketId,
    lock: LockView,
    locks: Type.Optional(Type.Array(LockView)),
  }),
  /** A run's ticket whose job was started; ask `job` for the rest. */
  Type.Object({ state: Type.Literal('started'), ticket: TicketId, board: Type.String(), token: Token }),
  Type.Object({
    state: Type.Literal('ended'),
    ticket: TicketId,
    reason: Type.Union([
      Type.Literal('timed-out'),
      Type.Literal('withdrawn'),
      Type.Literal('cancelled'),
      Type.Literal('grace'),
      Type.Literal('gone'),
      Type.Literal('forced'),
      Type.Literal('refused'),
      /** The lock it took was released meanwhile; `text` says by whom. */
      Type.Literal('released'),
    ]),
    text: Type.String(),
  }),
]);
export type TicketView = Type.Static<typeof TicketView>;

export const JobView = Type.Object({
  id: TicketId,
  /** `waiting`: still a ticket. `completed`: end text came, open for its client (-a). */
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('starting'),
    Type.Literal('running'),
    Type.Literal('completed'),
    Type.Literal('ending'),
    Type.Literal('ended'),
  ]),
  target: Type.String(),
  board: Type.Optional(Type.String()),
  user: Type.String(),
  key: Type.String(),
  set: Type.String(),
  submittedAt: Type.Optional(Instant),
  startedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  verdict: Type.Optional(Verdict),
  detail: Type.Optional(Type.String()),
  exitCode: Type.Optional(Type.Integer()),
  /** Console bytes so far (kept or not). */
  consoleLength: Type.Optional(Type.Integer()),
  /** Console offset one past the end or error text; a client prints the console up to it. */
  matchEnd: Type.Optional(Type.Integer()),
  /** Its console has been removed since: when. */
  logGoneAt: Type.Optional(Instant),
  /** `image` where it is not said. */
  kind: Type.Optional(Type.Union([Type.Literal('reserve'), Type.Literal('console')])),
  /** Its console takes input of its holder (-a, a console without a job). */
  takesInput: Type.Optional(Type.Literal(true)),
  /** First lines of what was run, for people. */
  files: Type.Array(Type.String()),
});
export type JobView = Type.Static<typeof JobView>;

export const BoardView = Type.Object({
  board: Type.String(),
  /** What a person wants to know first. */
  state: Type.Union([
    Type.Literal('free'),
    /** Free, and kept for a ticket for several boards that waits for more. */
    Type.Literal('kept'),
    Type.Literal('granted'),
    Type.Literal('held'),
    Type.Literal('ending'),
    Type.Literal('broken'),
    Type.Literal('out'),
    Type.Literal('away'),
    /** Its lock file can't be made or read. */
    Type.Literal('no-lock-file'),
  ]),
  health: Type.Union([Type.Literal('good'), Type.Literal('suspect'), Type.Literal('broken')]),
  healthNote: Type.Optional(Type.String()),
  service: Type.Union([Type.Literal('in'), Type.Literal('draining'), Type.Literal('out')]),
  /** What somebody noted of it, in service or not; by whom and since when. */
  serviceNote: Type.Optional(Type.String()),
  /** Why its lock file can't be made or read; nobody gets it meanwhile. */
  lockFileNote: Type.Optional(Type.String()),
  serviceBy: Type.Optional(Type.String()),
  serviceSinceAt: Type.Optional(Instant),
  /** When it comes back into service by itself. */
  serviceUntilAt: Type.Optional(Instant),
  /** The configuration has it no more: it goes when its lock ends or, broken, when somebody has looked. */
  leaving: Type.Optional(Type.Boolean()),
  agentPresent: Type.Boolean(),
  /** It has power, as far as is known; not there where it is surely off. */
  mayBeOn: Type.Optional(Type.Literal(true)),
  pools: Type.Array(Type.String()),
  lock: Type.Optional(LockView),
  job: Type.Optional(JobView),
  /** Tickets whose target set contains this board. */
  waiting: Type.Integer(),
});
export type BoardView = Type.Static<typeof BoardView>;

/** One waiting ticket as `mq queue` lists it, in the order of service within its target. */
export const QueueEntry = Type.Object({
  ticket: TicketId,
  target: Type.String(),
  kind: Type.Union([Type.Literal('lock'), Type.Literal('run'), Type.Literal('slot')]),
  user: Type.String(),
  key: Type.String(),
  set: Type.String(),
  priority: Priority,
  state: Type.Union([Type.Literal('waiting'), Type.Literal('parked'), Type.Literal('offered')]),
  place: Type.Optional(Type.Integer()),
  submittedAt: Instant,
  deadlineAt: Type.Optional(Instant),
  reasons: Type.Array(Reason),
});
export type QueueEntry = Type.Static<typeof QueueEntry>;

export const StatusView = Type.Object({
  lab: Type.String(),
  at: Instant,
  mode: Type.Union([Type.Literal('open'), Type.Literal('settling'), Type.Literal('draining')]),
  boards: Type.Array(BoardView),
  pools: Type.Array(
    Type.Object({
      pool: Type.String(),
      boards: Type.Array(Type.String()),
      usable: Type.Integer(),
      taken: Type.Integer(),
      waiting: Type.Integer(),
    }),
  ),
  queue: Type.Array(QueueEntry),
  jobs: Type.Array(JobView),
});
export type StatusView = Type.Static<typeof StatusView>;

/** What a release did on one board. */
export const ReleaseOutcome = Type.Object({
  board: Type.String(),
  /** `ending`: released; the board is busy until its job has stopped and the power is off. */
  outcome: Type.Union([
    Type.Literal('released'),
    Type.Literal('ending'),
    Type.Literal('not-held'),
    Type.Literal('wrong-key'),
    /** By force, which takes an admin for this board. */
    Type.Literal('not-allowed'),
  ]),
  /** With `ending`: the lock that ends, for `await-free`. */
  token: Type.Optional(Token),
  /** Of several targets those that the board is of. */
  targets: Type.Optional(Type.Array(Type.String())),
});
export type ReleaseOutcome = Type.Static<typeof ReleaseOutcome>;
