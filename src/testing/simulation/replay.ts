// Gives a fresh scheduler the commands of a recording, or some of them, under the same checks as in the run. Commands name
// tickets and tokens; where others are left out these have other numbers, so each is known by what it was drawn for.
import type { Command } from '../../domain/commands.ts';
import type { JobRecord, LockRecord, TicketRecord, Token } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import { type StepResult, step, undo } from '../../domain/scheduler.ts';
import type { Timing } from '../../domain/timing.ts';
import { Checker } from './checker.ts';
import { MetalModel } from './metal-model.ts';
import type { Recorded } from './recording.ts';
import { Trace } from './trace.ts';

export interface Replayed {
  readonly problems: readonly string[];
  /** Those that were carried out: one that names what is not there is left out. The last is in the batch that broke. */
  readonly done: readonly Recorded[];
  readonly names: DrawnNames;
  readonly trace: Trace;
}

/** What numbers and tokens were drawn for; `origin`: as in the recording. */
export function replayCommands(
  recorded: readonly Recorded[],
  { timing, origin }: { timing: Timing; origin?: DrawnNames },
): Replayed {
  const run = new Replay(timing, origin);
  let from = 0;
  while (from < recorded.length && run.problems.length === 0) {
    const { batch } = recorded[from] ?? {};
    let to = from;
    while (recorded[to]?.batch === batch && to < recorded.length) to += 1;
    run.take(recorded.slice(from, to));
    from = to;
  }
  run.finish();
  return run;
}

class Replay implements Replayed {
  readonly problems: string[] = [];
  readonly done: Recorded[] = [];
  readonly names = new DrawnNames();
  readonly trace = new Trace();
  readonly #checker = new Checker();
  readonly #metal = new MetalModel();
  readonly #timing: Timing;
  readonly #origin: DrawnNames | undefined;
  #state = this.#checker.mirror.rebuild();

  constructor(timing: Timing, origin: DrawnNames | undefined) {
    this.#timing = timing;
    this.#origin = origin;
  }

  take(batch: readonly Recorded[]): void {
    const stepped: { command: Command; result: StepResult; atMs: number }[] = [];
    for (const recorded of batch) {
      const command = this.#origin ? this.#origin.translate(recorded.command, this.names) : recorded.command;
      const result = command && this.#step(recorded, command);
      if (command && result) stepped.push({ command, result, atMs: recorded.atMs });
    }
    if (batch[0]?.batch.isRefused) {
      for (const { result } of stepped.toReversed()) undo(this.#state, result.changes);
      if (stepped.length > 0) this.trace.note(batch[0].atMs, 'that commit is refused');
      this.problems.push(...this.#checker.checkUndone(this.#state));
      return;
    }
    for (const { command, result, atMs } of stepped) {
      this.problems.push(...this.#checker.take(command, result, atMs));
      this.#metal.take(command, result, this.problems);
    }
    this.problems.push(...this.#checker.checkAlarm(this.#state));
  }

  /** By brute force. */
  finish(): void {
    if (this.problems.length === 0) this.problems.push(...this.#checker.checkAll(this.#state));
  }

  #step(recorded: Recorded, command: Command): StepResult | undefined {
    const { atMs } = recorded;
    if (command.name === 'restart') {
      this.#state = this.#checker.mirror.rebuild();
      this.#checker.reclaims.restart();
    }
    const isRepeat = this.#isRepeat(recorded);
    this.done.push(recorded);
    try {
      const result = step(this.#state, this.#timing, command, { now: atMs, wallAt: 1e12 + atMs });
      this.names.note(recorded, result);
      this.trace.note(atMs, command, result);
      if (
        isRepeat &&
        result.changes.some(({ before, after }) => JSON.stringify(before) !== JSON.stringify(after))
      )
        this.problems.push(`a repeated ${command.name} changes ${result.changes[0]?.entity}`);
      return result;
    } catch (error) {
      this.trace.note(atMs, command);
      this.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return undefined;
    }
  }

  /** The same command as the one before, after what the clock made due: it is to change nothing. */
  #isRepeat({ command, batch }: Recorded): boolean {
    const [first, tick] = this.done.slice(-2);
    return first?.command === command && first.batch === batch && tick?.command.name === 'tick';
  }
}

/** For each ticket the command that it came of; for each token the ticket or board that it was drawn for, and which it was. */
export class DrawnNames {
  readonly #tickets = new Map<number, Recorded>();
  readonly #ticketOf = new Map<Recorded, number>();
  readonly #tokens = new Map<string, { readonly of: Recorded | string; readonly what: string }>();
  readonly #tokenOf = new Map<Recorded | string, Map<string, Token>>();

  note(recorded: Recorded, { changes }: StepResult): void {
    for (const { entity, before, after } of changes) {
      if (!after) continue;
      if (entity === 'ticket')
        this.#noteTicket(recorded, before as TicketRecord | undefined, after as TicketRecord);
      if (entity === 'lock') {
        const { ticket, token, board } = after as LockRecord;
        const isNew = !before || formatToken((before as LockRecord).token) !== formatToken(token);
        if (isNew) this.#draw(this.#tickets.get(ticket) ?? board, 'lock', token);
      }
      if (entity === 'job' && !before) {
        const { id, token } = after as JobRecord;
        this.#draw(this.#tickets.get(id) ?? '', 'job', token);
      }
    }
  }

  #noteTicket(recorded: Recorded, before: TicketRecord | undefined, after: TicketRecord): void {
    if (!before) {
      this.#tickets.set(after.id, recorded);
      this.#ticketOf.set(recorded, after.id);
    }
    const isSlotOffer = after.kind === 'slot' && after.offer && !before?.offer;
    if (isSlotOffer && after.offer) this.#draw(this.#tickets.get(after.id) ?? '', 'slot', after.offer.token);
  }

  #draw(of: Recorded | string, kind: string, token: Token): void {
    const drawn = this.#tokenOf.get(of) ?? new Map<string, Token>();
    this.#tokenOf.set(of, drawn);
    let count = 0;
    while (drawn.has(`${kind} ${count}`)) count += 1;
    const what = `${kind} ${count}`;
    drawn.set(what, token);
    this.#tokens.set(formatToken(token), { of, what });
  }

  /** A command with these names in those of another run; undefined where that run has not what the command names. */
  translate(command: Command, to: DrawnNames): Command | undefined {
    const body: Record<string, unknown> = { ...command.body };
    for (const name of ['ticket', 'job']) {
      const number = body[name];
      if (typeof number !== 'number') continue;
      body[name] = this.#translateTicket(number, to);
      if (body[name] === undefined) return undefined;
    }
    if (body.token !== undefined) {
      body.token = this.#translateToken(body.token as Token, to);
      if (body.token === undefined) return undefined;
    }
    if (body.highest !== undefined)
      body.highest = this.#translateToken(body.highest as Token, to) ?? { generation: 0, number: 0 };
    if (Array.isArray(body.jobs))
      body.jobs = (body.jobs as { id: number }[]).flatMap((job) => {
        const id = this.#translateTicket(job.id, to);
        return id === undefined ? [] : [{ ...job, id }];
      });
    return { name: command.name, body } as unknown as Command;
  }

  #translateTicket(number: number, to: DrawnNames): number | undefined {
    const of = this.#tickets.get(number);
    return of && to.#ticketOf.get(of);
  }

  /** One that nobody here has drawn is somebody else's, and stays. */
  #translateToken(token: Token, to: DrawnNames): Token | undefined {
    const drawn = this.#tokens.get(formatToken(token));
    return drawn ? to.#tokenOf.get(drawn.of)?.get(drawn.what) : token;
  }
}
