// Checks what the server sends, whole, before anything acts on it. The shapes are those of agent-messages.ts;
// the compiler holds the two together. Pure.
import { Type } from 'typebox';
import { Check } from 'typebox/value';
import type { ServerToAgent } from '../protocol/agent-messages.ts';
import { ImageHash, JobSpec, RequestId, Token } from '../protocol/schema.ts';
import { boardsMax, jobsMax } from './limits.ts';
import { Machine } from './machine-shape.ts';

/** A console stream's number on the wire has 32 bits. */
const JobNumber = Type.Integer({ minimum: 1, maximum: 0xffff_ffff });
const BoardName = Type.String({ minLength: 1, maxLength: 256 });
const Transfer = Type.Integer({ minimum: 0, maximum: 0xffff_ffff });
const ByteCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Nonce = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Text = Type.String({ maxLength: 16 * 1024 });
const WriteBytes = Type.String({ maxLength: 4 * 1024 * 1024, pattern: '^[A-Za-z0-9+/]*={0,2}$' });

const AgentBoards = Type.Array(Type.Object({ name: BoardName, machine: Machine }), { maxItems: boardsMax });

// Objects may have more members than these: a newer server may say more.
/** By the type of the message. */
export const serverMessages = {
  welcome: Type.Object({
    type: Type.Literal('welcome'),
    protocol: Type.Integer(),
    server: Text,
    boards: AgentBoards,
    consoleFrom: Type.Array(Type.Object({ job: JobNumber, offset: ByteCount }), { maxItems: jobsMax }),
    logBytesMax: ByteCount,
  }),
  boards: Type.Object({ type: Type.Literal('boards'), boards: AgentBoards, logBytesMax: ByteCount }),
  start: Type.Object({
    type: Type.Literal('start'),
    job: JobNumber,
    board: BoardName,
    token: Token,
    spec: JobSpec,
    jobMaxSeconds: Type.Number({ exclusiveMinimum: 0, maximum: 31_536_000 }),
    leaveOn: Type.Boolean(),
  }),
  cancel: Type.Object({ type: Type.Literal('cancel'), job: JobNumber, token: Token, why: Text }),
  finish: Type.Object({ type: Type.Literal('finish'), job: JobNumber, token: Token }),
  write: Type.Object({ type: Type.Literal('write'), job: JobNumber, token: Token, bytes: WriteBytes }),
  'power-off': Type.Object({ type: Type.Literal('power-off'), board: BoardName, token: Token }),
  power: Type.Object({
    type: Type.Literal('power'),
    board: BoardName,
    token: Token,
    request: RequestId,
    action: Type.Enum(['on', 'off', 'cycle', 'status']),
    again: Type.Boolean(),
  }),
  'image-missing': Type.Object({
    type: Type.Literal('image-missing'),
    transfer: Transfer,
    hash: ImageHash,
    why: Text,
  }),
  'image-size': Type.Object({
    type: Type.Literal('image-size'),
    transfer: Transfer,
    hash: ImageHash,
    size: ByteCount,
  }),
  forget: Type.Object({ type: Type.Literal('forget'), job: JobNumber }),
  retire: Type.Object({ type: Type.Literal('retire') }),
  ping: Type.Object({ type: Type.Literal('ping'), nonce: Nonce }),
};

type Checked = {
  [N in keyof typeof serverMessages]: Type.Static<(typeof serverMessages)[N]>;
}[keyof typeof serverMessages];

/** The message, or what is wrong with it. A type that this agent does not know is `unknown`, and to be ignored. */
export function checkServerMessage(
  value: unknown,
):
  | { readonly kind: 'message'; readonly message: ServerToAgent }
  | { readonly kind: 'unknown'; readonly type: string }
  | { readonly kind: 'bad'; readonly why: string } {
  const type =
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
      ? value.type
      : undefined;
  if (type === undefined) return { kind: 'bad', why: 'a message without a type' };
  if (!Object.hasOwn(serverMessages, type)) return { kind: 'unknown', type: type.slice(0, 64) };
  const schema = serverMessages[type as keyof typeof serverMessages];
  if (!Check(schema, value)) return { kind: 'bad', why: `a malformed '${type}'` };
  const message: Checked = value as Checked;
  return { kind: 'message', message };
}
