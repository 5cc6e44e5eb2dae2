// What docs/command-line.md promises of --json, as schemas. A field that is not in them may come and go, a field that is
// may not: that is why objects are open.
import { type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import { ConfigChange } from '../../src/protocol/config-change.ts';
import { operations } from '../../src/protocol/operations.ts';
import { BoardView, JobView, QueueEntry, StatusView } from '../../src/protocol/views.ts';

const Time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' });

const Lock = Type.Object({
  board: Type.String(),
  token: Type.String(),
  user: Type.String(),
  key: Type.String(),
  since: Time,
  until: Type.Optional(Time),
});

const Problem = Type.Object({
  file: Type.String(),
  line: Type.Integer(),
  column: Type.Integer(),
  message: Type.String(),
});

export const shapes = {
  status: StatusView,
  queue: Type.Array(QueueEntry),
  jobs: Type.Array(JobView),
  job: JobView,
  lock: Lock,
  unlock: Type.Array(Type.Object({ board: Type.String(), outcome: Type.String() })),
  cancel: Type.Object({ cancelled: Type.Array(Type.Integer()) }),
  run: Type.Object({
    job: Type.Integer(),
    board: Type.String(),
    verdict: Type.String(),
    exit: Type.Integer(),
    detail: Type.Optional(Type.String()),
    programExit: Type.Optional(Type.Integer()),
    waitedSeconds: Type.Number(),
    ranSeconds: Type.Number(),
    log: Type.Optional(Type.String()),
  }),
  detached: Type.Object({
    job: Type.Integer(),
    state: Type.Union([Type.Literal('waiting'), Type.Literal('started')]),
    board: Type.Optional(Type.String()),
  }),
  systems: Type.Object({
    name: Type.String(),
    boards: Type.Array(
      Type.Object({
        name: Type.String(),
        aliases: Type.Array(Type.String()),
        attributes: Type.Record(Type.String(), Type.String()),
      }),
    ),
    pools: Type.Array(Type.Object({ name: Type.String(), boards: Type.Array(Type.String()) })),
  }),
  'check-config': Type.Object({
    ok: Type.Boolean(),
    problems: Type.Array(Problem),
    warnings: Type.Array(Problem),
    lab: Type.Optional(Type.String()),
    boards: Type.Optional(Type.Integer()),
    pools: Type.Optional(Type.Integer()),
  }),
  import: Type.Object({
    ok: Type.Boolean(),
    out: Type.String(),
    boards: Type.Integer(),
    pools: Type.Integer(),
    problems: Type.Array(Problem),
    differences: Type.Array(Type.String()),
    boardsWithoutProgram: Type.Array(Type.String()),
  }),
  doctor: Type.Object({
    ok: Type.Boolean(),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        state: Type.Union([Type.Literal('good'), Type.Literal('note'), Type.Literal('trouble')]),
        what: Type.String(),
        fix: Type.Optional(Type.String()),
      }),
    ),
  }),
  reload: ConfigChange,
  board: Type.Object({ boards: Type.Array(BoardView), gone: Type.Array(Type.String()) }),
  power: operations.power.response,
  'power-status': operations['power-status'].response,
  error: Type.Object({
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      exit: Type.Integer(),
      details: Type.Record(Type.String(), Type.Unknown()),
    }),
  }),
} as const satisfies Record<string, TSchema>;

export type ShapeName = keyof typeof shapes;

/** Whether the text is exactly one JSON value, of this shape. */
export function hasShape(name: ShapeName, text: string): boolean {
  return Check(shapes[name] as TSchema, JSON.parse(text));
}
