// Pieces of schema that several messages share. Shapes only; no logic.
import { Type } from 'typebox';

/** Client-made id of a changing request: a repeat with the same id gets the stored answer. */
export const RequestId = Type.String({ minLength: 8, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' });

/** A ticket's number; the job it becomes keeps it. */
export const TicketId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** A board, a pool, `a,b`, or `attribute=value[,attribute=value]`. */
export const Target = Type.String({ minLength: 1, maxLength: 4096 });

/** The name of one board, or one of its others. */
export const BoardWord = Type.String({ maxLength: 4096 });

/** How many boards of a target. */
export const BoardCount = Type.Integer({ minimum: 1, maximum: 64 });

/** Any text; compared as a whole, never as a pattern. */
export const Key = Type.String({ maxLength: 1024 });

/** SHA-256 of an image's bytes, lower-case hex. */
export const ImageHash = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** Fencing token as text: `generation.number`. Ordered by generation, then number. */
export const Token = Type.String({ pattern: '^[0-9]{1,15}\\.[0-9]{1,15}$' });

/** Instants on the wire are wall-clock milliseconds since 1970, for display only. */
export const Instant = Type.Number();

export const Priority = Type.Union([Type.Literal('high'), Type.Literal('normal'), Type.Literal('low')]);

/** A lock as others may see it. */
export const LockView = Type.Object({
  board: Type.String(),
  token: Token,
  user: Type.String(),
  key: Type.String(),
  state: Type.Union([Type.Literal('granted'), Type.Literal('held'), Type.Literal('ending')]),
  sinceAt: Instant,
  /** Seconds asked for with -T; 0 or absent: no end. */
  holdSeconds: Type.Optional(Type.Number()),
  untilAt: Type.Optional(Instant),
  job: Type.Optional(TicketId),
  /** It was taken by a lock file of the old scripts. */
  origin: Type.Optional(Type.Literal('file')),
  note: Type.Optional(Type.String()),
});
export type LockView = Type.Static<typeof LockView>;

/** One member of a target and who has it. */
export const MemberView = Type.Object({ board: Type.String(), lock: Type.Optional(LockView) });
export type MemberView = Type.Static<typeof MemberView>;

/** How a job ended. */
export const Verdict = Type.Union([
  Type.Literal('completed'),
  Type.Literal('error-text'),
  Type.Literal('timed-out'),
  Type.Literal('boot-failed'),
  Type.Literal('lab-fault'),
  Type.Literal('cancelled'),
]);
export type Verdict = Type.Static<typeof Verdict>;

/** An image or other file that a job brings; `name` is for messages and the board's loader only. */
export const FileRef = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 1024 }),
  hash: ImageHash,
  size: Type.Integer({ minimum: 0 }),
});
export type FileRef = Type.Static<typeof FileRef>;

/** What to run. Absent parts mean: not asked for. */
export const JobSpec = Type.Object(
  {
    /**
     * `image`: load and run files. `reserve`: the old `-r`, nothing is loaded, the lock lives with the client. `console`: only
     * follow the console, as the board is.
     */
    kind: Type.Union([Type.Literal('image'), Type.Literal('reserve'), Type.Literal('console')]),
    files: Type.Array(FileRef, { maxItems: 16 }),
    dtb: Type.Optional(FileRef),
    bitstream: Type.Optional(FileRef),
    linux: Type.Boolean(),
    /** Regular expressions over the console (RE2 syntax, `.` matches newline). Empty: never. */
    endText: Type.String({ maxLength: 4096 }),
    errorText: Type.String({ maxLength: 4096 }),
    /** Seconds from power on to the end text; -1: no limit of the job's own (the lab's job_max holds). */
    timeoutSeconds: Type.Number({ minimum: -1, maximum: 31_536_000 }),
    /** -a: after the end text the board stays on and the console stays open until `finish`. */
    keepOn: Type.Boolean(),
    /** Goes on without its client; no grace. */
    detached: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type JobSpec = Type.Static<typeof JobSpec>;
