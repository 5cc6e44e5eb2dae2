// Every operation of the server: its request and answer, and its HTTP route. The channel dispatches by the
// name, HTTP by method and path, and the OpenAPI page is made from the same table. Clients import types only.
import { type TSchema, Type } from 'typebox';
import { ConfigChange } from './config-change.ts';
import {
  BoardCount,
  BoardWord,
  ImageHash,
  Instant,
  JobSpec,
  Key,
  LockView,
  MemberView,
  Priority,
  RequestId,
  Target,
  TicketId,
  Token,
} from './schema.ts';
import { BoardView, JobView, ReleaseOutcome, StatusView, TicketView } from './views.ts';

const strict = { additionalProperties: false } as const;

const empty = Type.Object({}, strict);

export const operations = {
  hello: {
    summary: 'Who am I, and to which lab am I talking',
    http: { method: 'GET', path: '/v1/hello' },
    request: Type.Object(
      { protocol: Type.Optional(Type.Integer()), client: Type.Optional(Type.String({ maxLength: 100 })) },
      strict,
    ),
    response: Type.Object({
      protocol: Type.Integer(),
      version: Type.String(),
      lab: Type.String(),
      user: Type.String(),
      admin: Type.Boolean(),
    }),
  },
  health: {
    summary: 'How the server itself is: its disk, its clock, its agent',
    http: { method: 'GET', path: '/v1/health' },
    request: empty,
    response: Type.Object({
      version: Type.String(),
      node: Type.String(),
      at: Instant,
      agent: Type.Union([Type.Literal('connected'), Type.Literal('away')]),
      /** Of the file system that holds the state folder, as far as the server may fill it. */
      disk: Type.Object({ freeBytes: Type.Number(), sizeBytes: Type.Number() }),
      /** What the lab takes of it, and may take at most; absent until it was measured. */
      use: Type.Optional(Type.Object({ bytes: Type.Number(), bytesMax: Type.Number() })),
    }),
  },
  lab: {
    summary: 'Boards, pools and their attributes (LabConfig without the machines)',
    http: { method: 'GET', path: '/v1/lab' },
    request: empty,
    response: Type.Object({ lab: Type.Unknown() }),
  },
  info: {
    summary: 'Who has each board of a target, in listed order',
    http: { method: 'GET', path: '/v1/targets/:target' },
    request: Type.Object({ target: Target }, strict),
    response: Type.Object({
      kind: Type.Union([Type.Literal('board'), Type.Literal('pool')]),
      members: Type.Array(MemberView),
    }),
  },
  locks: {
    summary: 'Every lock, in the order of the boards',
    http: { method: 'GET', path: '/v1/locks' },
    request: empty,
    response: Type.Object({ members: Type.Array(MemberView) }),
  },
  // A submit that is refused is an error with details `{ kind, members, board?, lock? }`: ALREADY_YOURS,
  // NOT_GRANTED_IN_TIME (waitSeconds 0), NOT_HOLDER and WRONG_KEY (slot), NO_BOARD_FITS, LIMIT_REACHED, UNKNOWN_TARGET
  // (details `{ boards, pools }`: all valid names).
  submit: {
    summary: 'Ask for a board, a board with a job on it, or the job slot of a lock you have',
    http: { method: 'POST', path: '/v1/tickets' },
    request: Type.Object(
      {
        requestId: RequestId,
        target: Target,
        /** So many boards of the target, all together or none; 1 where it is absent. Only for kind `lock`. */
        count: Type.Optional(BoardCount),
        /** And these, in the same step. */
        also: Type.Optional(
          Type.Array(Type.Object({ target: Target, count: Type.Optional(BoardCount) }, strict), {
            maxItems: 64,
          }),
        ),
        kind: Type.Union([Type.Literal('lock'), Type.Literal('run'), Type.Literal('slot')]),
        key: Key,
        /** Seconds of the hold (-T); 0 or absent: no end. */
        holdSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })),
        /** Seconds to wait; 0: now or never; absent: for ever. */
        waitSeconds: Type.Optional(Type.Number({ minimum: 0, maximum: 31_536_000 })),
        priority: Type.Optional(Priority),
        set: Type.Optional(Type.String({ maxLength: 256 })),
        job: Type.Optional(JobSpec),
        note: Type.Optional(Type.String({ maxLength: 1000 })),
        /** Answer with the lock you have instead of refusing. */
        reuse: Type.Optional(Type.Boolean()),
        /** false: leave `members` out of the answer, which for a large pool is most of it. */
        members: Type.Optional(Type.Boolean()),
      },
      strict,
    ),
    response: Type.Object({
      ticket: TicketId,
      kind: Type.Union([Type.Literal('board'), Type.Literal('pool')]),
      /** The members looked at, in order, up to and with the one that is offered: as they stood before the grant. */
      members: Type.Array(MemberView),
      view: TicketView,
    }),
  },
  confirm: {
    summary: 'Take what was offered; only after this answer is the board yours',
    http: { method: 'POST', path: '/v1/tickets/:ticket/confirm' },
    request: Type.Object({ requestId: RequestId, ticket: TicketId, token: Token }, strict),
    /** `waiting`: the offer had been taken back, and the ticket waits on. */
    response: Type.Object({ view: TicketView }),
  },
  withdraw: {
    summary: 'Stop waiting; after a confirm this releases the lock',
    http: { method: 'DELETE', path: '/v1/tickets/:ticket' },
    request: Type.Object({ requestId: RequestId, ticket: TicketId }, strict),
    response: Type.Object({ view: TicketView }),
  },
  attach: {
    summary:
      'Follow a ticket or its job on this channel, after a reconnect or from another client of the same user',
    http: { method: 'GET', path: '/v1/tickets/:ticket' },
    request: Type.Object(
      {
        ticket: TicketId,
        /** also send place and reasons as they change */ places: Type.Optional(Type.Boolean()),
      },
      strict,
    ),
    response: Type.Object({ view: TicketView, job: Type.Optional(JobView) }),
  },
  release: {
    summary: 'Release the locks on a target, or on several in one step',
    http: { method: 'POST', path: '/v1/release' },
    request: Type.Object(
      {
        requestId: RequestId,
        target: Target,
        also: Type.Optional(Type.Array(Target, { maxItems: 255 })),
        key: Key,
        force: Type.Optional(Type.Boolean()),
        /** Only this lock, so that a late repeat can't release the next one. */
        token: Type.Optional(Token),
        note: Type.Optional(Type.String({ maxLength: 1000 })),
      },
      strict,
    ),
    response: Type.Object({ outcomes: Type.Array(ReleaseOutcome) }),
  },
  'await-free': {
    summary: 'Answers when the lock with this token has ended, or after the seconds',
    http: { method: 'GET', path: '/v1/boards/:board/free' },
    request: Type.Object(
      {
        board: BoardWord,
        token: Type.Optional(Token),
        seconds: Type.Number({ minimum: 0, maximum: 3600 }),
      },
      strict,
    ),
    /** `why`: the lock is over for the one who asked, since it was given to somebody or taken over. */
    response: Type.Object({ free: Type.Boolean(), why: Type.Optional(Type.String()) }),
  },
  extend: {
    summary: 'Give a lock of yours a new end, counted from now; 0: no end',
    http: { method: 'POST', path: '/v1/boards/:board/extend' },
    request: Type.Object(
      {
        requestId: RequestId,
        board: BoardWord,
        key: Key,
        holdSeconds: Type.Integer({ minimum: 0, maximum: 31_536_000 }),
      },
      strict,
    ),
    response: Type.Object({ lock: LockView }),
  },
  give: {
    summary: 'Hand a lock of yours to another user, with a new token',
    http: { method: 'POST', path: '/v1/boards/:board/give' },
    request: Type.Object(
      {
        requestId: RequestId,
        board: BoardWord,
        key: Key,
        user: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$' }),
        newKey: Type.Optional(Key),
      },
      strict,
    ),
    response: Type.Object({ lock: LockView }),
  },
  steal: {
    summary: "Take over somebody's lock, with a new token (whoever may force)",
    http: { method: 'POST', path: '/v1/boards/:board/steal' },
    request: Type.Object(
      {
        requestId: RequestId,
        board: BoardWord,
        newKey: Type.Optional(Key),
        note: Type.Optional(Type.String({ maxLength: 1000 })),
      },
      strict,
    ),
    response: Type.Object({ lock: LockView }),
  },
  power: {
    summary:
      'Switch a board that you hold; answered when it is done. Only where the board can be switched without a job',
    http: { method: 'POST', path: '/v1/boards/:board/power' },
    request: Type.Object(
      {
        requestId: RequestId,
        board: BoardWord,
        key: Key,
        action: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('cycle')]),
      },
      strict,
    ),
    response: Type.Object({ board: Type.String(), mayBeOn: Type.Boolean() }),
  },
  'power-status': {
    summary: 'Whether a board that you hold is on',
    http: { method: 'GET', path: '/v1/boards/:board/power' },
    request: Type.Object({ board: BoardWord, key: Key }, strict),
    response: Type.Object({
      board: Type.String(),
      /** `unknown` where nobody can tell. */
      power: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('unknown')]),
      /** As far as it went through the scheduler. */
      mayBeOn: Type.Boolean(),
    }),
  },
  'cancel-waiting': {
    summary: "End the caller's waiting tickets for a target with exactly this key",
    http: { method: 'POST', path: '/v1/cancel-waiting' },
    request: Type.Object({ requestId: RequestId, target: Target, key: Key }, strict),
    response: Type.Object({ tickets: Type.Array(TicketId) }),
  },
  cancel: {
    summary: 'End a ticket or job, or all of the caller',
    http: { method: 'POST', path: '/v1/cancel' },
    request: Type.Object(
      { requestId: RequestId, id: Type.Optional(TicketId), mine: Type.Optional(Type.Boolean()) },
      strict,
    ),
    response: Type.Object({ cancelled: Type.Array(TicketId) }),
  },
  board: {
    summary:
      'Take boards out of service after their present locks, bring them back and forget their faults, or note something of them (admins)',
    http: { method: 'POST', path: '/v1/boards/service' },
    request: Type.Object(
      {
        requestId: RequestId,
        /** All boards of all of these, in one step. */
        targets: Type.Array(Target, { minItems: 1, maxItems: 1000 }),
        action: Type.Union([Type.Literal('drain'), Type.Literal('resume'), Type.Literal('note')]),
        note: Type.Optional(Type.String({ maxLength: 1000 })),
        /** With `drain`: back in service after so long. */
        seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 31_536_000 })),
      },
      strict,
    ),
    /** `gone`: boards that the configuration no longer has, and that somebody has now looked at. */
    response: Type.Object({ boards: Type.Array(BoardView), gone: Type.Array(Type.String()) }),
  },
  reload: {
    summary:
      'Load the configuration again (admins). BAD_CONFIG where it has problems; then nothing has changed',
    http: { method: 'POST', path: '/v1/reload' },
    request: empty,
    response: ConfigChange,
  },
  status: {
    summary: 'Boards, pools, queue and live jobs, from one committed moment',
    http: { method: 'GET', path: '/v1/status' },
    request: empty,
    response: StatusView,
  },
  'watch-status': {
    summary: 'The status now, then again as an event at most twice a second while it changes',
    http: null,
    request: empty,
    response: StatusView,
  },
  jobs: {
    summary: 'Jobs, newest first, live and ended',
    http: { method: 'GET', path: '/v1/jobs' },
    request: Type.Object(
      {
        mine: Type.Optional(Type.Boolean()),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
      },
      strict,
    ),
    response: Type.Object({ jobs: Type.Array(JobView) }),
  },
  job: {
    summary: 'One job',
    http: { method: 'GET', path: '/v1/jobs/:id' },
    request: Type.Object({ id: TicketId }, strict),
    response: Type.Object({ job: JobView }),
  },
  console: {
    summary: 'Console bytes of a job from an offset: data frames with stream id = job, then `console-end`',
    http: null,
    request: Type.Object(
      {
        job: TicketId,
        from: Type.Optional(Type.Integer({ minimum: 0 })),
        /** false: only what is there now */ follow: Type.Optional(Type.Boolean()),
      },
      strict,
    ),
    response: Type.Object({ from: Type.Integer() }),
  },
  'console-close': {
    summary: 'Stop sending the console of a job on this channel',
    http: null,
    request: Type.Object({ job: TicketId }, strict),
    response: empty,
  },
  write: {
    summary: "Bytes to the board's console; only the holder, under a live job",
    http: { method: 'POST', path: '/v1/jobs/:job/console' },
    request: Type.Object(
      { job: TicketId, bytes: Type.String({ maxLength: 131_072, description: 'base64' }) },
      strict,
    ),
    response: empty,
  },
  finish: {
    summary: 'The client of a kept-on job or of a reservation is done with it: ends it as completed',
    http: { method: 'POST', path: '/v1/jobs/:job/finish' },
    request: Type.Object({ requestId: RequestId, job: TicketId }, strict),
    response: empty,
  },
  images: {
    summary: 'Which of these images the server does not have yet',
    http: { method: 'POST', path: '/v1/images/missing' },
    request: Type.Object({ hashes: Type.Array(ImageHash, { maxItems: 64 }) }, strict),
    response: Type.Object({ missing: Type.Array(ImageHash) }),
  },
  'put-image': {
    summary:
      'Announces an upload: data frames with stream id = `stream` and rising offsets follow; answered when all bytes are checked and stored',
    http: null,
    request: Type.Object(
      {
        hash: ImageHash,
        size: Type.Integer({ minimum: 0 }),
        stream: Type.Integer({ minimum: 1, maximum: 0xffffffff }),
      },
      strict,
    ),
    response: empty,
  },
} as const satisfies Record<string, Operation>;

export interface Operation {
  readonly summary: string;
  /** null: only on the channel. */
  readonly http: { readonly method: 'GET' | 'POST' | 'DELETE'; readonly path: string } | null;
  readonly request: TSchema;
  readonly response: TSchema;
}

export type OperationName = keyof typeof operations;
export type RequestOf<N extends OperationName> = Type.Static<(typeof operations)[N]['request']>;
export type ResponseOf<N extends OperationName> = Type.Static<(typeof operations)[N]['response']>;
