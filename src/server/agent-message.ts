// Checks what an agent sends, whole, before anything acts on it: what it says ends in records, and in front of every
// client. The shapes are those of agent-messages.ts; the compiler holds the two together. Pure.
import { Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { AgentToServer } from '../protocol/agent-messages.ts';
import { ImageHash, Token, Verdict } from '../protocol/schema.ts';

/** A console stream's number on the wire has 32 bits. */
const Number32 = Type.Integer({ minimum: 0, maximum: 0xffff_ffff });
const ByteCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Text = Type.String({ maxLength: 64 * 1024 });
const BoardName = Type.String({ maxLength: 256 });
const boardsMax = 10_000;
const jobsMax = 20_000;

const JobResult = Type.Object({
  verdict: Verdict,
  detail: Text,
  exitCode: Type.Optional(Type.Integer()),
  mayBeOn: Type.Boolean(),
  consoleLength: ByteCount,
  matchEnd: Type.Optional(ByteCount),
});

const JobReport = Type.Object({
  id: Number32,
  board: BoardName,
  token: Token,
  consoleLength: ByteCount,
  state: Type.Enum(['starting', 'running', 'ended']),
  result: Type.Optional(JobResult),
});

// Objects may have more members than these: a newer agent may say more.
/** By the type of the message. */
export const agentMessages = {
  hello: Type.Object({
    type: Type.Literal('hello'),
    protocol: Type.Integer(),
    agent: Text,
    version: Text,
    boot: Text,
    pid: Type.Integer(),
    highestToken: Token,
    jobs: Type.Array(JobReport, { maxItems: jobsMax }),
  }),
  boards: Type.Object({
    type: Type.Literal('boards'),
    ready: Type.Array(BoardName, { maxItems: boardsMax }),
    failed: Type.Array(Type.Object({ board: BoardName, why: Text }), { maxItems: boardsMax }),
    abilities: Type.Optional(
      Type.Array(
        Type.Object({
          board: BoardName,
          can: Type.Array(Type.Enum(['power-on', 'power-status', 'console']), { maxItems: 8 }),
        }),
        { maxItems: boardsMax },
      ),
    ),
  }),
  'need-image': Type.Object({ type: Type.Literal('need-image'), transfer: Number32, hash: ImageHash }),
  started: Type.Object({ type: Type.Literal('started'), job: Number32, token: Token }),
  completed: Type.Object({
    type: Type.Literal('completed'),
    job: Number32,
    matchEnd: ByteCount,
    open: Type.Boolean(),
  }),
  'console-gap': Type.Object({
    type: Type.Literal('console-gap'),
    job: Number32,
    offset: ByteCount,
    length: ByteCount,
  }),
  ended: Type.Object({ type: Type.Literal('ended'), job: Number32, token: Token, result: JobResult }),
  'powered-off': Type.Object({
    type: Type.Literal('powered-off'),
    board: BoardName,
    token: Token,
    ok: Type.Boolean(),
    detail: Text,
  }),
  'power-done': Type.Object({
    type: Type.Literal('power-done'),
    board: BoardName,
    request: Type.String({ maxLength: 64 }),
    outcome: Type.Enum(['done', 'failed', 'refused', 'unknown']),
    power: Type.Optional(Type.Enum(['on', 'off', 'unknown'])),
    detail: Text,
  }),
  refused: Type.Object({
    type: Type.Literal('refused'),
    action: Text,
    board: Text,
    token: Text,
    why: Text,
  }),
  pong: Type.Object({ type: Type.Literal('pong'), nonce: Type.Number() }),
};

type Checked = {
  [N in keyof typeof agentMessages]: Type.Static<(typeof agentMessages)[N]>;
}[keyof typeof agentMessages];

const validators = new Map<string, Validator>(
  Object.entries(agentMessages).map(([type, schema]) => [type, Compile(schema)]),
);

/** The message, or what is wrong with it. A type that this server does not know is `unknown`, and to be ignored. */
export function checkAgentMessage(
  value: unknown,
):
  | { readonly kind: 'message'; readonly message: AgentToServer }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'bad'; readonly why: string } {
  const { type } = (value ?? {}) as { type?: unknown };
  if (typeof type !== 'string') return { kind: 'bad', why: 'a message without a type' };
  const validator = validators.get(type);
  if (!validator) return { kind: 'unknown' };
  if (!validator.Check(value)) return { kind: 'bad', why: `a malformed '${type}'` };
  const message: Checked = value as Checked;
  return { kind: 'message', message };
}
