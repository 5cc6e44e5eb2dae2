// The server around the scheduler, as far as its promises reach: batches that are committed or refused whole, answers
// kept by request id, effects only after the commit, a crash at any of these points, and a start from what was committed.
import type { Command, CommandName, Effect, ReplyOf } from '../../domain/commands.ts';
import type { Change, LockRecord } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import { type StepResult, step, undo } from '../../domain/scheduler.ts';
import type { State } from '../../domain/state.ts';
import type { Timing } from '../../domain/timing.ts';
import type { Agenda } from './agenda.ts';
import { Checker } from './checker.ts';
import { MetalModel } from './metal-model.ts';
import type { Random } from './random.ts';
import type { Recording } from './recording.ts';
import { Trace } from './trace.ts';

/** What a sender hears: the reply, or that nothing is known of what became of the command. */
export type Heard<N extends CommandName = CommandName> =
  | { readonly kind: 'reply'; readonly reply: ReplyOf<N> }
  | { readonly kind: 'lost' };

interface Posted {
  readonly command: Command;
  readonly requestId: string | undefined;
  readonly hear: (heard: Heard) => void;
}

interface Stepped {
  readonly posted: Posted;
  readonly result: StepResult;
}

export interface ServerEvents {
  readonly onEffect: (effect: Effect) => void;
  /** The server has died; every connection with it. */
  readonly onDown: () => void;
  readonly onUp: () => void;
  readonly onChange: (change: Change) => void;
}

/** Steps between two looks at everything by brute force, and refused commits between two at all indexes. */
const fullCheckEvery = 1_009;
const rebuildEvery = 16;
const settleMs = 2_000;
/** Commands that may come twice and then change nothing. */
const repeatable = new Set<CommandName>([
  'jobStarted',
  'jobEnded',
  'poweredOff',
  'powered',
  'attach',
  'touch',
  'tick',
]);

export class SimulatedServer {
  readonly checker = new Checker();
  readonly trace = new Trace();
  readonly problems: string[] = [];
  /** Tokens of locks that have ended or passed to another holder. */
  readonly endedLocks = new Set<string>();
  state: State;
  isUp = false;
  /** No more refused commits and crashes. */
  calm = false;
  steps = 0;
  crashes = 0;
  refusals = 0;
  readonly #metal = new MetalModel();
  readonly #recording: Recording | undefined;
  readonly #random: Random;
  readonly #agenda: Agenda;
  readonly #timing: Timing;
  readonly #events: ServerEvents;
  readonly #answers = new Map<string, ReplyOf<CommandName>>();
  #pending: Posted[] = [];
  #flushing = false;
  #life = 0;
  #alarm = 0;

  constructor(options: {
    random: Random;
    agenda: Agenda;
    timing: Timing;
    events: ServerEvents;
    recording: Recording | undefined;
  }) {
    this.#recording = options.recording;
    this.#random = options.random;
    this.#agenda = options.agenda;
    this.#timing = options.timing;
    this.#events = options.events;
    this.state = this.checker.mirror.rebuild();
  }

  /** A command has arrived. With a request id, a repeat gets the answer of the first time. */
  post<C extends Command>(
    command: C,
    hear: (heard: Heard<C['name']>) => void = () => undefined,
    requestId?: string,
  ): void {
    if (!this.isUp) return hear({ kind: 'lost' });
    this.#pending.push({ command, hear: hear as Posted['hear'], requestId });
    if (this.#flushing) return;
    this.#flushing = true;
    const life = this.#life;
    this.#agenda.in(this.#random.between(0, 2), () => {
      if (life === this.#life) this.#flush();
    });
  }

  /** Begins from what was committed. */
  start(): void {
    this.state = this.checker.mirror.rebuild();
    this.checker.reclaims.restart();
    this.isUp = true;
    // A start whose first commit fails is no start.
    const command: Command = { name: 'restart', body: { settleMs } };
    const stepped = [{ posted: unasked(command), result: this.#step(command) }];
    this.#commit(stepped);
    this.#tell(stepped);
    this.#arm();
    this.#events.onUp();
  }

  crash(): void {
    this.crashes += 1;
    this.#life += 1;
    this.isUp = false;
    this.#flushing = false;
    this.trace.note(this.#agenda.nowMs, 'the server dies');
    for (const { hear } of this.#pending.splice(0)) hear({ kind: 'lost' });
    this.#events.onDown();
    this.#agenda.in(this.#random.between(20, 4_000), () => this.start());
  }

  #flush(): void {
    this.#flushing = false;
    const taken = this.#pending.splice(0);
    const fate = this.calm ? 1 : this.#random.next();
    const stepped: Stepped[] = [];
    for (const posted of taken) this.#answerOrStep(posted, stepped);
    if (fate < 0.01) this.#refuse(stepped);
    else if (fate < 0.0108) {
      this.#recording?.close(true);
      for (const { posted } of stepped) posted.hear({ kind: 'lost' });
      this.crash();
    } else {
      this.#commit(stepped);
      if (fate > 0.0116) this.#tell(stepped);
      else {
        for (const { posted } of stepped) posted.hear({ kind: 'lost' });
        this.crash();
      }
    }
    this.#arm();
  }

  #answerOrStep(posted: Posted, stepped: Stepped[]): void {
    const { requestId, command } = posted;
    if (requestId !== undefined) {
      const reply = this.#answers.get(requestId);
      const isKnown = this.#answers.has(requestId);
      if (isKnown) return posted.hear({ kind: 'reply', reply });
      // Its first copy is in this very batch.
      if (stepped.some((one) => one.posted.requestId === requestId)) return posted.hear({ kind: 'lost' });
    }
    const result = this.#step(command);
    stepped.push({ posted, result });
    if (repeatable.has(command.name) && this.#random.chance(0.05)) this.#repeat(command, stepped);
  }

  #step(command: Command): StepResult {
    this.steps += 1;
    const now = this.#agenda.nowMs;
    this.#recording?.step(now, command);
    const result = step(this.state, this.#timing, command, { now, wallAt: 1e12 + now });
    this.trace.note(now, command, result);
    return result;
  }

  #repeat(command: Command, stepped: Stepped[]): void {
    // What the first one made due is not the repeat's doing.
    const tick: Command = { name: 'tick', body: {} };
    stepped.push({ posted: unasked(tick), result: this.#step(tick) });
    const result = this.#step(command);
    const changed = result.changes.filter(
      (change) => JSON.stringify(change.before) !== JSON.stringify(change.after),
    );
    if (changed.length > 0) this.problems.push(`a repeated ${command.name} changes ${changed[0]?.entity}`);
    stepped.push({ posted: unasked(command), result });
  }

  #refuse(stepped: readonly Stepped[]): void {
    this.refusals += 1;
    this.#recording?.close(true);
    for (const { result } of stepped.toReversed()) undo(this.state, result.changes);
    this.trace.note(this.#agenda.nowMs, 'that commit is refused');
    this.problems.push(...this.checker.checkUndone(this.state));
    if (this.refusals % rebuildEvery === 0) this.problems.push(...this.checker.checkRebuilt(this.state));
    for (const { posted } of stepped) posted.hear({ kind: 'lost' });
  }

  #commit(stepped: readonly Stepped[]): void {
    this.#recording?.close(false);
    const now = this.#agenda.nowMs;
    for (const { posted, result } of stepped) {
      this.problems.push(...this.checker.take(posted.command, result, now));
      this.#metal.take(posted.command, result, this.problems);
      for (const change of result.changes) this.#noteChange(change);
      if (posted.requestId !== undefined) this.#answers.set(posted.requestId, result.reply);
    }
    this.problems.push(...this.checker.checkAlarm(this.state));
    if (this.steps % fullCheckEvery < stepped.length)
      this.problems.push(...this.checker.checkAll(this.state));
  }

  #noteChange(change: Change): void {
    if (change.entity === 'lock') {
      const before = change.before as LockRecord | undefined;
      const after = change.after as LockRecord | undefined;
      if (before && (after?.state === 'ending' || after?.token !== before.token))
        this.endedLocks.add(formatToken(before.token));
    }
    this.#events.onChange(change);
  }

  #tell(stepped: readonly Stepped[]): void {
    for (const { posted, result } of stepped) posted.hear({ kind: 'reply', reply: result.reply });
    for (const { result } of stepped) for (const effect of result.effects) this.#events.onEffect(effect);
  }

  /** One alarm for what falls due first; sometimes the server is late. */
  #arm(): void {
    const at = this.state.nextTimerAt;
    if (!this.isUp || at === undefined) return;
    this.#alarm += 1;
    const alarm = this.#alarm;
    const late = !this.calm && this.#random.chance(0.1) ? this.#random.between(0, 5_000) : 0;
    this.#agenda.in(at - this.#agenda.nowMs + late, () => {
      if (alarm === this.#alarm && this.isUp) this.post({ name: 'tick', body: {} });
    });
  }
}

function unasked(command: Command): Posted {
  return { command, requestId: undefined, hear: () => undefined };
}
