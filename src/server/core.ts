// The one writer around the scheduler. Commands that arrived together form a batch: step each, commit all change
// sets, audit rows and answers in one transaction, only then send replies and carry out effects. At most one batch
// is between step and commit; readers see only committed state.
import type { AuditEvent, Command, CommandName, Effect, ReplyOf } from '../domain/commands.ts';
import type { Change } from '../domain/records.ts';
import { step, undo } from '../domain/scheduler.ts';
import type { State } from '../domain/state.ts';
import type { Timing } from '../domain/timing.ts';
import { MqError, type WireError } from '../protocol/errors.ts';
import type { Batch, CommitOutcome, Store, StoredAnswer } from '../store/contract.ts';
import { Answers, checkAnswer } from './answers.ts';
import type { BatchReport } from './metrics/tally.ts';
import type { SchedulerClock } from './scheduler-clock.ts';

/** Commands in one batch at most: what waits behind a commit is bounded in time. */
const batchMax = 512;
/** How long after a refused commit (a full disk) or a failed step the timers rest. */
const retryMs = 500;
/** A commit that takes so long is stuck; and how long a refused one counts where nothing was tried since. */
const stuckMs = 10_000;
const troubleMs = 60_000;
/** Commands that may wait for their batch. Beyond it callers are told to try again. */
const pendingMax = 50_000;

/** A request that is to be answered the same when it is repeated. */
export interface RequestIdentity {
  readonly requestId: string;
  readonly caller: string;
  readonly digest: string;
}

interface Pending {
  readonly command: Command;
  readonly identity: RequestIdentity | undefined;
  /** From the reply to what is stored and answered; runs on the state right after the step. */
  readonly encode: (reply: ReplyOf<CommandName>, state: State) => unknown;
  readonly onCommitted: ((state: State) => void) | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: MqError) => void;
}

interface Stepped {
  readonly pending: Pending;
  readonly changes: readonly Change[];
  readonly audit: readonly AuditEvent[];
  readonly effects: readonly Effect[];
  readonly answer: unknown;
  readonly stored: StoredAnswer | undefined;
}

export interface CoreOptions {
  readonly state: State;
  readonly store: Store;
  readonly timing: Timing;
  readonly clock: SchedulerClock;
  /** Called after each commit, with the effects in order. */
  readonly onEffects: (effects: readonly Effect[]) => void;
  /** A programmer error in a step: logged, its caller was told INTERNAL. */
  readonly onBug: (error: unknown, command: Command) => void;
  /** A refused commit: the lab goes on, the callers were told to try again. */
  readonly onRefused: (message: string) => void;
  /** What became of a batch that the store was given. */
  readonly onBatch?: (report: BatchReport) => void;
  /** The outcome of a commit is unknown: the process must end. */
  readonly onFatal: (message: string) => void;
}

export class Core {
  readonly #options: CoreOptions;
  readonly #answers = new Answers();
  readonly #inFlight = new Map<string, { caller: string; digest: string; answer: Promise<unknown> }>();
  #pending: Pending[] = [];
  readonly #reads: { readonly run: () => void; readonly refuse: () => void }[] = [];
  #scheduled = false;
  #committing = false;
  #dead = false;
  /** The state may not be what is stored: nobody is shown it any more. */
  #isInDoubt = false;
  #oneByOne = 0;
  /** After a refused commit or a failed step nothing is tried by itself before this moment (monotonic milliseconds). */
  #quietUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #version = 0;
  /** When the commit under way was begun, and when the last one was refused (monotonic milliseconds). */
  #commitSince: number | undefined;
  #refusedAt = Number.NEGATIVE_INFINITY;

  constructor(options: CoreOptions, answers: Iterable<StoredAnswer>) {
    this.#options = options;
    for (const answer of answers) this.#answers.add(answer);
  }

  /** Rises with every commit that changed something; tells readers whether a view is still right. */
  get version(): number {
    return this.#version;
  }

  /** Why nothing can be stored at this moment (monotonic milliseconds), or undefined where it can, as far as is known. */
  troubleAt(now: number): string | undefined {
    if (this.#dead) return 'the server is leaving';
    if (now - (this.#commitSince ?? now) > stuckMs) return 'a commit does not come to its end';
    return now - this.#refusedAt < troubleMs ? 'the last commit was refused' : undefined;
  }

  /**
   * Carries a command out and answers when it is durable. Rejects with TRY_AGAIN or INTERNAL. What `onCommitted` changes
   * is seen together with what the commit changed: no reader comes in between.
   */
  run<N extends CommandName>(
    command: { name: N; body: Extract<Command, { name: N }>['body'] },
    onCommitted?: (state: State) => void,
  ): Promise<ReplyOf<N>> {
    const encode: Pending['encode'] = (reply) => reply;
    return this.#enqueue({
      command: command as Command,
      identity: undefined,
      encode,
      onCommitted,
    }) as Promise<ReplyOf<N>>;
  }

  /**
   * As `run`, for a client's request: the answer that `encode` makes is stored with the commit, and a repeat gets it.
   * An MqError that `encode` throws is an answer too.
   */
  async answer<N extends CommandName, A>(
    command: { name: N; body: Extract<Command, { name: N }>['body'] },
    identity: RequestIdentity & { readonly again: boolean },
    encode: (reply: ReplyOf<N>, state: State) => A,
  ): Promise<A> {
    let known = this.#findKnown(identity);
    if (!known && identity.again) {
      const stored = await this.#options.store.findAnswer(identity.requestId);
      // Another repeat may have come in meanwhile.
      known = this.#findKnown(identity) ?? (stored && readAnswer(stored, identity));
    }
    if (known) return (await known) as A;
    const answer = this.#enqueue({
      command: command as Command,
      identity,
      encode: encode as Pending['encode'],
      onCommitted: undefined,
    });
    this.#inFlight.set(identity.requestId, { caller: identity.caller, digest: identity.digest, answer });
    try {
      return (await answer) as A;
    } finally {
      this.#inFlight.delete(identity.requestId);
    }
  }

  /**
   * The answer to an earlier attempt at this request, if there was one: for whoever must look at the request before it
   * becomes a command, since what was true then may not be now (a board has left the lab).
   */
  async recall<A>(
    identity: RequestIdentity & { readonly again: boolean },
  ): Promise<{ answer: A } | undefined> {
    if (!identity.again) return undefined;
    const known = this.#findKnown(identity);
    if (known) return { answer: (await known) as A };
    const stored = await this.#options.store.findAnswer(identity.requestId);
    return stored && { answer: (await readAnswer(stored, identity)) as A };
  }

  /** Runs a reader on committed state: now, or as soon as the present batch is through. */
  read<T>(reader: (state: State) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const run = () => {
      try {
        resolve(reader(this.#options.state));
      } catch (error) {
        reject(error);
      }
    };
    const refuse = () => reject(leaving());
    if (this.#isInDoubt) refuse();
    else if (this.#committing) this.#reads.push({ run, refuse });
    else run();
    return promise;
  }

  /** Lets the batch under way finish; what comes after is told to try again. */
  async stop(): Promise<void> {
    this.#dead = true;
    clearTimeout(this.#timer);
    for (const pending of this.#pending.splice(0)) pending.reject(leaving());
    if (!this.#committing || this.#isInDoubt) return;
    await new Promise<void>((resolve) => this.#reads.push({ run: resolve, refuse: resolve }));
  }

  #findKnown(identity: RequestIdentity): Promise<unknown> | undefined {
    const found = this.#answers.find(identity.requestId);
    if (found) return readAnswer(found, identity);
    const flying = this.#inFlight.get(identity.requestId);
    if (!flying) return undefined;
    checkAnswer({ requestId: identity.requestId, ...flying, answer: '' }, identity);
    return flying.answer;
  }

  #enqueue(asked: Omit<Pending, 'resolve' | 'reject'>): Promise<unknown> {
    if (this.#dead) return Promise.reject(leaving());
    if (this.#pending.length >= pendingMax) {
      return Promise.reject(
        new MqError('TRY_AGAIN', 'The server has too many requests waiting. Try again in a moment.'),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.push({ ...asked, resolve, reject });
    this.#schedule();
    return promise;
  }

  /** After the sockets that are ready were read, so that what came together is committed together. */
  #schedule(): void {
    if (this.#scheduled || this.#committing || this.#dead) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#runBatch().catch((error: unknown) => {
        this.#die(`a batch broke off: ${error instanceof Error ? error.stack : String(error)}`);
      });
    });
  }

  async #runBatch(): Promise<void> {
    if (this.#committing || this.#dead || this.#pending.length === 0) return;
    this.#committing = true;
    const size = this.#oneByOne > 0 ? 1 : batchMax;
    const taken = this.#pending.splice(0, size);
    if (this.#oneByOne > 0) this.#oneByOne -= 1;
    const { clock } = this.#options;
    const moment = { now: clock.now(), wallAt: clock.wallAt() };
    const stepped = taken.flatMap((pending) => this.#stepOne(pending, moment) ?? []);
    const batch = asBatch(stepped, moment);
    const isEmpty = batch.changes.length === 0 && batch.audit.length === 0 && batch.answers.length === 0;
    const outcome = isEmpty ? ({ kind: 'committed' } as const) : await this.#commit(batch, taken.length);
    if (outcome.kind === 'committed') this.#settle(stepped, isEmpty);
    else if (outcome.kind === 'unknown') return this.#die(outcome.message);
    else this.#takeBack(stepped, taken, outcome);
    this.#committing = false;
    for (const read of this.#reads.splice(0)) read.run();
    this.#armTimer();
    if (this.#pending.length > 0) this.#schedule();
  }

  async #commit(batch: Batch, commands: number): Promise<CommitOutcome> {
    const since = performance.now();
    this.#commitSince = since;
    const outcome = await this.#options.store.commit(batch);
    this.#commitSince = undefined;
    this.#refusedAt = outcome.kind === 'refused' ? performance.now() : Number.NEGATIVE_INFINITY;
    const { changes, wallAt } = batch;
    const ms = performance.now() - since;
    this.#options.onBatch?.({ outcome: outcome.kind, ms, commands, changes, wallAt });
    return outcome;
  }

  #stepOne(pending: Pending, moment: { now: number; wallAt: number }): Stepped | undefined {
    const { state, timing } = this.#options;
    let result: ReturnType<typeof step>;
    try {
      result = step(state, timing, pending.command, moment);
    } catch (error) {
      this.#options.onBug(error, pending.command);
      this.#rest();
      pending.reject(
        new MqError('INTERNAL', 'The server failed inside; nothing was changed. Its log has the details.'),
      );
      return undefined;
    }
    let answer: unknown;
    try {
      answer = pending.encode(result.reply, state);
    } catch (error) {
      // What came due by time in this step stays; only the caller is refused.
      answer = error instanceof MqError ? error : this.#encodeBug(error, pending);
    }
    const stored = asStored(pending.identity, answer);
    return { pending, changes: result.changes, audit: result.audit, effects: result.effects, answer, stored };
  }

  #encodeBug(error: unknown, pending: Pending): MqError {
    this.#options.onBug(error, pending.command);
    return new MqError('INTERNAL', 'The server could not word its answer. Its log has the details.');
  }

  #settle(stepped: readonly Stepped[], isEmpty: boolean): void {
    if (!isEmpty) this.#version += 1;
    for (const { pending } of stepped) pending.onCommitted?.(this.#options.state);
    for (const { pending, answer, stored } of stepped) {
      if (stored) this.#answers.add(stored);
      if (answer instanceof MqError) pending.reject(answer);
      else pending.resolve(answer);
    }
    const effects = stepped.flatMap((one) => one.effects);
    // Behind the answers, so that a client knows its ticket before it hears of it.
    if (effects.length > 0) setImmediate(() => this.#options.onEffects(effects));
  }

  /** Nothing was stored: undo the batch in reverse, timers included. */
  #takeBack(
    stepped: readonly Stepped[],
    taken: readonly Pending[],
    outcome: { kind: 'refused' | 'rejected'; message: string },
  ): void {
    for (const one of stepped.toReversed()) undo(this.#options.state, one.changes);
    if (outcome.kind === 'refused') {
      this.#rest();
      this.#options.onRefused(outcome.message);
      for (const { pending } of stepped) pending.reject(tryAgain(outcome.message));
      return;
    }
    if (taken.length > 1) {
      // Somebody in this batch breaks a rule: run it again one command at a time to find whom.
      this.#pending.unshift(...stepped.map((one) => one.pending));
      this.#oneByOne = stepped.length;
      return;
    }
    this.#rest();
    for (const { pending } of stepped) {
      this.#options.onBug(new Error(`the store rejected a commit: ${outcome.message}`), pending.command);
      pending.reject(
        new MqError('INTERNAL', 'The store refused this change; nothing was changed. The log has details.'),
      );
    }
  }

  /** What is due by time is tried again a little later, not at once. */
  #rest(): void {
    this.#quietUntil = performance.now() + retryMs;
  }

  /** The batch is not answered at all: whether it is stored, the next start will know. */
  #die(message: string): void {
    this.#dead = true;
    this.#isInDoubt = true;
    clearTimeout(this.#timer);
    for (const pending of this.#pending.splice(0)) pending.reject(leaving());
    for (const read of this.#reads.splice(0)) read.refuse();
    this.#options.onFatal(message);
  }

  /** One timer for whatever falls due first. After a refused commit it tries again a little later. */
  #armTimer(): void {
    clearTimeout(this.#timer);
    const at = this.#options.state.nextTimerAt;
    if (at === undefined || this.#dead) return;
    const quietMs = this.#quietUntil - performance.now();
    const delayMs = Math.min(Math.max(this.#options.clock.until(at), quietMs, 1), 60_000);
    this.#timer = setTimeout(() => this.#tick(), delayMs);
  }

  #tick(): void {
    const at = this.#options.state.nextTimerAt;
    if (at === undefined) return;
    if (at > this.#options.clock.now()) return this.#armTimer();
    // A refused one is tried again by the timer that the batch arms at its end.
    this.run({ name: 'tick', body: {} }).catch(() => undefined);
  }
}

function asBatch(stepped: readonly Stepped[], moment: { now: number; wallAt: number }): Batch {
  return {
    changes: stepped.flatMap((one) => one.changes),
    audit: stepped.flatMap((one) => one.audit),
    answers: stepped.flatMap((one) => one.stored ?? []),
    ...moment,
  };
}

/** A refusal is an answer too: a repeat of a request that was told 'no' must not be granted. */
function asStored(identity: RequestIdentity | undefined, answer: unknown): StoredAnswer | undefined {
  if (!identity) return undefined;
  const { requestId, caller, digest } = identity;
  const kept = answer instanceof MqError ? { error: answer.toWire() } : { value: answer ?? null };
  return { requestId, caller, digest, answer: JSON.stringify(kept) };
}

async function readAnswer(stored: StoredAnswer, identity: RequestIdentity): Promise<unknown> {
  const kept = JSON.parse(checkAnswer(stored, identity)) as { value: unknown } | { error: WireError };
  if ('error' in kept) throw MqError.fromWire(kept.error);
  return kept.value;
}

function tryAgain(message: string): MqError {
  return new MqError(
    'TRY_AGAIN',
    `The server can't write to its disk now (${message}); nothing was changed. Try again.`,
  );
}

function leaving(): MqError {
  return new MqError('TRY_AGAIN', 'The server is leaving. Connect again: tickets keep their place.');
}
