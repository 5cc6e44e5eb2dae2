// What server and agent say to each other, over frames (src/platform/frames.ts) on any byte stream: now the
// agent's unix socket, dialled by the server; for other hosts a WebSocket dialled by the agent. Who dialled
// makes no difference to the messages: the agent speaks first, with `hello`.
//
// Rules that make it safe:
// - Every action names board and token; the agent stores a new token durably before its first action with it
//   and refuses lower ones (`refused`).
// - `start`, `cancel`, `finish`, `power-off`, `forget` may be repeated at any time; the agent answers as if it were the
//   first time. `ended` is repeated by the agent after each reconnect until `forget` comes. An answer to `power-off` may
//   be lost with its connection: the server asks again. So may one to `power`, which is asked for with `again` then, for it
//   must not be begun twice.
// - Console bytes travel as data frames: stream id = the job's number, offset = bytes of the job's console
//   before this frame, atMs = wall time. After `hello` the server says from which offset it wants each job.
import type { MachineSpec } from './machine.ts';
import type { JobSpec, Verdict } from './schema.ts';

export const agentProtocol = 1;

export interface AgentJobReport {
  readonly id: number;
  readonly board: string;
  readonly token: string;
  /** Bytes of console so far. */
  readonly consoleLength: number;
  /** `starting`: it does not have all that it needs yet. */
  readonly state: 'starting' | 'running' | 'ended';
  /** With `ended`. */
  readonly result?: AgentJobResult;
}

export interface AgentJobResult {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly exitCode?: number;
  /** False only after a power off that worked. */
  readonly mayBeOn: boolean;
  /** Bytes of console in all; the result counts only when the server has them. */
  readonly consoleLength: number;
  /** With `error-text` and `completed`: console offset one past the text. */
  readonly matchEnd?: number;
}

export type AgentToServer =
  | {
      readonly type: 'hello';
      readonly protocol: number;
      readonly agent: string;
      readonly version: string;
      /** New at each start of the agent process. */
      readonly boot: string;
      readonly pid: number;
      /** The highest token any of its boards has seen; the server goes above it. */
      readonly highestToken: string;
      /** Jobs it runs, or has ended and not been told to forget. */
      readonly jobs: readonly AgentJobReport[];
    }
  /** Of those that the server gave: these boards are ready (leftovers ended, powered off where one was found) or can't be driven. */
  | {
      readonly type: 'boards';
      readonly ready: readonly string[];
      readonly failed: readonly { board: string; why: string }[];
      /** What those can do without a job; one that is not named can do nothing. Absent: an agent of before `power`. */
      readonly abilities?: readonly { readonly board: string; readonly can: readonly BoardAbility[] }[];
    }
  /** Sends this file: data frames with `streamId` = `transfer`, then nothing more. */
  | { readonly type: 'need-image'; readonly transfer: number; readonly hash: string }
  /** The job has all it needs and was started; from here on it outlives the server. */
  | { readonly type: 'started'; readonly job: number; readonly token: string }
  /**
   * The end or error text came. Sent before any console byte behind it, so that readers can stop exactly there; and
   * again after each reconnect while the job lives. `open`: the job stays open for its client (keepOn).
   */
  | { readonly type: 'completed'; readonly job: number; readonly matchEnd: number; readonly open: boolean }
  /** Console bytes that the agent's spool no longer has: the console goes on at offset + length. */
  | { readonly type: 'console-gap'; readonly job: number; readonly offset: number; readonly length: number }
  | { readonly type: 'ended'; readonly job: number; readonly token: string; readonly result: AgentJobResult }
  | {
      readonly type: 'powered-off';
      readonly board: string;
      readonly token: string;
      readonly ok: boolean;
      readonly detail: string;
    }
  /**
   * Answer to `power`. `failed`: it was begun, and nobody knows how far it came; `refused`: nothing was done; `unknown`: it was
   * asked for again, and this agent has not heard of it before.
   */
  | {
      readonly type: 'power-done';
      readonly board: string;
      readonly request: string;
      readonly outcome: 'done' | 'failed' | 'refused' | 'unknown';
      /** With `status`. */
      readonly power?: 'on' | 'off' | 'unknown';
      readonly detail: string;
    }
  /** An action carried a lower token than the board has seen, or the agent has no such job. */
  | {
      readonly type: 'refused';
      readonly action: string;
      readonly board: string;
      readonly token: string;
      readonly why: string;
    }
  | { readonly type: 'pong'; readonly nonce: number };

/** `power-on`: it can be switched on, and so cycled, without a job; off it can always be. */
export type BoardAbility = 'power-on' | 'power-status' | 'console';

export interface AgentBoard {
  readonly name: string;
  readonly machine: MachineSpec;
}

export type ServerToAgent =
  /** Answer to `hello`: the boards this agent drives, and where each of its jobs' console is to go on. */
  | {
      readonly type: 'welcome';
      readonly protocol: number;
      readonly server: string;
      readonly boards: readonly AgentBoard[];
      readonly consoleFrom: readonly { readonly job: number; readonly offset: number }[];
      /** Console bytes of one job that the agent's spool keeps at most. */
      readonly logBytesMax: number;
    }
  /** Its boards from now on, after a change of the configuration; answered as in the beginning. What runs goes on as it is. */
  | { readonly type: 'boards'; readonly boards: readonly AgentBoard[]; readonly logBytesMax: number }
  | {
      readonly type: 'start';
      readonly job: number;
      readonly board: string;
      readonly token: string;
      readonly spec: JobSpec;
      /** Seconds after which the job ends as the lab's policy, when its own limit is absent or longer. */
      readonly jobMaxSeconds: number;
      /** True where another lock holder's power must not be cut after the job (`run -n` with -a). */
      readonly leaveOn: boolean;
    }
  | { readonly type: 'cancel'; readonly job: number; readonly token: string; readonly why: string }
  /** The client of a keepOn job has left: end it as completed, now or as soon as it is. */
  | { readonly type: 'finish'; readonly job: number; readonly token: string }
  | {
      readonly type: 'write';
      readonly job: number;
      readonly token: string;
      readonly bytes: string /* base64 */;
    }
  | { readonly type: 'power-off'; readonly board: string; readonly token: string }
  /** The holder's own. `again`: it may have been said before; an agent that does not know it does not begin it. */
  | {
      readonly type: 'power';
      readonly board: string;
      readonly token: string;
      readonly request: string;
      readonly action: 'on' | 'off' | 'cycle' | 'status';
      readonly again: boolean;
    }
  | { readonly type: 'image-missing'; readonly transfer: number; readonly hash: string; readonly why: string }
  | { readonly type: 'image-size'; readonly transfer: number; readonly hash: string; readonly size: number }
  /** The server has the result and all console bytes on disk. */
  | { readonly type: 'forget'; readonly job: number }
  /** No more work will come from this server soon; leave when the last job has ended and was told. */
  | { readonly type: 'retire' }
  | { readonly type: 'ping'; readonly nonce: number };
