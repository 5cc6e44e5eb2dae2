// Judges the whole lab: every committed step by the models of the scheduler's simulation, and what the parts around the
// scheduler promise beside: that what a client was told is durable, that a request is answered once, that nothing is done
// to a board but for its holder, and that a console has every byte.

import type { Command } from '../../domain/commands.ts';
import type { Change, JobRecord, LockRecord, TicketRecord } from '../../domain/records.ts';
import { formatToken, sameToken } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import type { ChannelMessage, ChannelRequest } from '../../protocol/channel.ts';
import type { JobSpec, LockView } from '../../protocol/schema.ts';
import type { JobView, TicketView } from '../../protocol/views.ts';
import type { Batch } from '../../store/contract.ts';
import { Checker } from '../simulation/checker.ts';
import { boardOf } from '../simulation/lab.ts';
import { Trace } from '../simulation/trace.ts';
import type { Metal } from './metal.ts';
import type { NotedStep } from './observed-scheduler.ts';

export class Judge {
  readonly checker = new Checker();
  readonly trace = new Trace();
  readonly problems: string[] = [];
  readonly #metals: ReadonlyMap<string, Metal>;
  readonly #now: () => number;
  /** Tokens of locks that have ended or passed to another holder. */
  readonly #endedLocks = new Set<string>();
  /** Every token that was ever stored. */
  readonly #tokens = new Set<string>();
  /** Boards that left the lab and of which an admin said that they are nobody's matter, while they were on. */
  readonly #letGo = new Set<string>();
  /** Scheduler time of the last commit. */
  #lastAt = 0;
  /** Request ids whose answers are durable. */
  readonly #answered = new Set<string>();
  /** What each request was answered first. */
  readonly #firstAnswers = new Map<string, string>();
  steps = 0;
  commits = 0;

  constructor(metals: ReadonlyMap<string, Metal>, now: () => number) {
    this.#metals = metals;
    this.#now = now;
  }

  fail(problem: string): void {
    this.problems.push(problem);
  }

  note(what: string): void {
    this.trace.note(this.#now(), what);
  }

  /** A server begins from what is stored. */
  begin(): void {
    this.checker.reclaims.restart();
  }

  /** A commit is durable. */
  take(steps: readonly NotedStep[], batch: Batch): void {
    this.commits += 1;
    if (batch.now < this.#lastAt) this.fail(`time went back from ${this.#lastAt} to ${batch.now}`);
    this.#lastAt = batch.now;
    for (const { requestId } of batch.answers) this.#answered.add(requestId);
    this.takeSteps(steps);
  }

  takeSteps(steps: readonly NotedStep[]): void {
    this.steps += steps.length;
    for (const { command, result, now } of steps) {
      this.trace.note(this.#now(), command, result);
      this.problems.push(...this.checker.take(command, result, now));
      for (const change of result.changes) this.#noteChange(change, command);
    }
  }

  /** By brute force, at a moment at which the server has no commit under way. */
  checkAll(state: State): void {
    this.problems.push(...this.checker.checkAll(state));
  }

  #noteChange(change: Change, command: Command): void {
    this.#noteTokens(change);
    if (change.entity === 'job') this.#checkLost(change);
    if (change.entity === 'board') {
      if (command.name === 'service' && !change.after) this.#letGo.add(boardOf(change.key));
      this.#checkPower(change.key);
    }
    if (change.entity !== 'lock') return;
    const before = change.before as LockRecord | undefined;
    const after = change.after as LockRecord | undefined;
    if (before && (after?.state === 'ending' || after?.token !== before.token))
      this.#endedLocks.add(formatToken(before.token));
    this.#checkHolder(before, after);
  }

  /** An agent that has said of a job that it runs knows it until its end is stored, whoever is killed meanwhile. */
  #checkLost({ before, after }: Change): void {
    const [was, is] = [before as JobRecord | undefined, after as JobRecord | undefined];
    if (was?.state === 'running' && is?.result?.detail === 'the agent no longer knows this job')
      this.fail(`the agent has lost job ${is.id}, of which it had said that it runs`);
  }

  #noteTokens({ entity, after }: Change): void {
    if (!after) return;
    const { token, lastToken, offer } = after as Partial<LockRecord> & Pick<TicketRecord, 'offer'>;
    if (entity === 'meta') return;
    for (const one of [token, lastToken, offer?.token, ...(offer?.all ?? []).map((part) => part.token)])
      if (one) this.#tokens.add(formatToken(one));
  }

  /** What the server sends, whoever gets it: no token that is not stored. */
  onSent(bytes: Buffer): void {
    for (const [, token = ''] of bytes.toString('latin1').matchAll(/"token":"(\d+\.\d+)"/g))
      if (!this.#tokens.has(token))
        this.fail(
          `the server spoke of token ${token}, which is not stored: ${bytes.toString('latin1', 5, 300)}`,
        );
  }

  /** A board that is on counts as one that may be, under one of its names. */
  #checkPower(name: string): void {
    if (!this.#isKnownOn(name)) return;
    const records = this.checker.mirror.all('board');
    if (!records.some((board) => board.mayBeOn && boardOf(board.name) === boardOf(name)))
      this.fail(`${name} counts as off, or is forgotten, while it is on`);
  }

  #isKnownOn(name: string): boolean {
    const board = boardOf(name);
    const isOn = this.#metals.get(board)?.isOn === true;
    if (!isOn) this.#letGo.delete(board);
    return isOn && !this.#letGo.has(board);
  }

  /** What is done to a board is over, and the board as it is said to be, when somebody else gets it. */
  #checkHolder(before: LockRecord | undefined, after: LockRecord | undefined): void {
    if (!after || after.state === 'ending' || (before && sameToken(before.token, after.token))) return;
    const metal = this.#metals.get(boardOf(after.board));
    const isOn = !before && !after.foundOn && this.#isKnownOn(after.board);
    const occupation = metal?.occupation ?? (isOn ? 'it is on' : undefined);
    if (occupation !== undefined) this.fail(`${after.board} was given to ${after.user} while ${occupation}`);
  }

  /** An image runs: it must be the job of the lock that is on that board. */
  onStart(board: string, endText: string): void {
    const job = this.checker.mirror
      .all('job')
      .find(({ spec }) => (spec as JobSpec | undefined)?.endText === endText);
    const lock = job && this.checker.mirror.get('lock', job.board);
    const isItsOwn = job && lock && boardOf(job.board) === board && sameToken(job.lockToken, lock.token);
    if (!isItsOwn) this.fail(`${board} runs an image (${endText}) whose job has no lock on it`);
  }

  /** What a client receives. */
  onMessage(message: ChannelMessage, request: ChannelRequest | undefined): void {
    if ('event' in message) {
      if (message.event === 'ticket') this.#checkView(message.view);
      return;
    }
    if (!message.ok) {
      const { code, message: text } = message.error;
      const isOurs = ['INTERNAL', 'BAD_REQUEST', 'IMAGE_MISMATCH', 'REQUEST_ID_REUSED'].includes(code);
      if (isOurs) this.fail(`a client was told ${code}: ${text} (${JSON.stringify(request)})`);
      return;
    }
    const { body } = message as { body: { view?: TicketView } };
    if (body.view) this.#checkView(body.view);
    this.#checkAnswer(request, body);
  }

  /** A change that was answered is durable, and a repeat gets the same answer. */
  #checkAnswer(request: ChannelRequest | undefined, body: unknown): void {
    const requestId = (request as { body?: { requestId?: string } } | undefined)?.body?.requestId;
    if (request === undefined || !('op' in request) || requestId === undefined) return;
    const isAll = request.op === 'cancel' || request.op === 'board';
    if (!isAll && !this.#answered.has(requestId))
      this.fail(`'${request.op}' (${requestId}) was answered and its answer is not stored`);
    // How the power stands is told as it is now.
    if (request.op === 'power') return;
    const text = JSON.stringify(body);
    const first = this.#firstAnswers.get(requestId);
    this.#firstAnswers.set(requestId, first ?? text);
    if (first !== undefined && first !== text)
      this.fail(`'${request.op}' (${requestId}) was answered twice:\n  ${first}\n  ${text}`);
  }

  /** What a ticket was told to have is there, or has been there. */
  #checkView(view: TicketView): void {
    if (view.state === 'held') this.checkLock(view.lock);
  }

  checkLock({ board, token }: Pick<LockView, 'board' | 'token'>): void {
    if (!this.#isKnown(board, token))
      this.fail(`a client has the lock ${token} on ${board}, which is not stored`);
  }

  #isKnown(board: string, token: string): boolean {
    const stored = this.checker.mirror.get('lock', board);
    const isThere =
      stored !== undefined &&
      (formatToken(stored.token) === token || formatToken(stored.lastToken) === token);
    return isThere || this.#endedLocks.has(token);
  }

  /** A job has ended, and this is what its client read of its console. */
  checkJob(view: JobView, endText: string, read: { text: string; isWhole: boolean }): void {
    const metal = this.#metals.get(boardOf(view.board ?? ''));
    const printed = metal?.printed.get(endText) ?? '';
    if (!printed.startsWith(read.text))
      this.fail(
        `the console of job ${view.id} has what its board did not print: ${JSON.stringify(read.text)}`,
      );
    if (view.verdict === 'completed' && !printed.includes(endText))
      this.fail(`job ${view.id} passed, and its board never said so`);
    if (read.isWhole && view.verdict === 'completed' && !read.text.includes(endText))
      this.fail(`job ${view.id} passed, and its console has no end text: ${JSON.stringify(read.text)}`);
  }

  /** Nothing waits, is held or runs. */
  get isEmpty(): boolean {
    const { mirror } = this.checker;
    return mirror.all('ticket').length + mirror.all('lock').length + mirror.all('job').length === 0;
  }

  leftovers(): string {
    const { mirror } = this.checker;
    const parts = [mirror.all('ticket'), mirror.all('lock'), mirror.all('job'), mirror.all('board')];
    return parts.map((records) => JSON.stringify(records)).join('\n  ');
  }
}
