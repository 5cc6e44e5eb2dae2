// A small lab for tests of the scheduler: sends commands, moves time, and after every step checks all invariants, that
// undoing the step gives the state before, and that doing it again gives the state after.
import assert from 'node:assert/strict';
import type {
  Caller,
  CommandName,
  CommandOf,
  CommandTypes,
  ConfirmReply,
  Effect,
  PowerReply,
  Submit,
  SubmitReply,
} from '../../src/domain/commands.ts';
import type {
  BoardDefinition,
  FoundFile,
  JobRecord,
  JobResult,
  LabDefinition,
  LockRecord,
  PowerAction,
  TicketRecord,
  Token,
} from '../../src/domain/records.ts';
import { replay, type StepResult, step, undo } from '../../src/domain/scheduler.ts';
import { State } from '../../src/domain/state.ts';
import { standardTiming, type Timing } from '../../src/domain/timing.ts';
import { Checker, compareStates } from '../../src/testing/simulation/checker.ts';

export interface LabOptions {
  readonly boards?: readonly (string | (Partial<BoardDefinition> & { name: string }))[];
  /** Lists of boards by pool; a name with a `*` behind it is a pool that spreads. */
  readonly pools?: Readonly<Record<string, readonly string[]>>;
  readonly discipline?: LabDefinition['discipline'];
  readonly gatherSeconds?: number;
  readonly limits?: Partial<LabDefinition['limits']>;
  readonly timing?: Partial<Timing>;
  /** False: no agent has come yet. */
  readonly present?: boolean;
  /** The folder of lock files. */
  readonly lockFiles?: string;
}

export type Wish = Partial<Omit<Submit, 'caller'>>;

export const admin: Caller = { user: 'root', admin: true };
export const done: JobResult = { verdict: 'completed', detail: 'the end text came', mayBeOn: false };
export const fault: JobResult = { verdict: 'lab-fault', detail: 'no answer from the outlet', mayBeOn: false };

const noToken: Token = { generation: 0, number: 0 };

export function asCaller(user: string): Caller {
  return user === admin.user ? admin : { user, admin: false };
}

export function defineLab(options: LabOptions): LabDefinition {
  return {
    boards: (options.boards ?? ['b1']).map((board) => ({
      aliases: [],
      attributes: {},
      files: { min: 1, max: 1 },
      linuxFiles: { min: 1, max: 2 },
      takesLinux: false,
      takesDtb: false,
      ...(typeof board === 'string' ? { name: board } : board),
    })),
    pools: Object.entries(options.pools ?? {}).map(([name, boards]) => ({
      name: name.replace('*', ''),
      boards,
      spread: name.endsWith('*'),
    })),
    discipline: options.discipline ?? 'turns',
    ...(options.lockFiles === undefined ? {} : { lockFiles: options.lockFiles }),
    gatherSeconds: options.gatherSeconds ?? 600,
    limits: {
      ticketsPerUser: 100,
      queueLength: 100,
      adHocQueuesPerBoard: 64,
      boardsPerTicket: 8,
      ...options.limits,
    },
  };
}

export class Lab {
  state = new State();
  readonly checker = new Checker();
  readonly timing: Timing;
  nowMs = 1_000_000;
  /** Of the last step. */
  last: StepResult = { changes: [], audit: [], effects: [], reply: undefined };
  /** Of all steps. */
  readonly effects: Effect[] = [];
  readonly #outcomes = new Map<number, TicketRecord['outcome']>();
  #requests = 0;

  constructor(options: LabOptions = {}) {
    this.timing = { ...standardTiming, ...options.timing };
    this.configure(options);
    if (options.present !== false) this.present();
  }

  send<N extends CommandName>(name: N, body: CommandTypes[N]['body']): CommandTypes[N]['reply'] {
    const before = this.checker.mirror.rebuild();
    const result = this.#step({ name, body });
    assert.deepEqual(this.checker.take({ name, body }, result, this.nowMs), []);
    assert.deepEqual(this.checker.checkAll(this.state), []);
    undo(this.state, result.changes);
    assert.deepEqual(compareStates(this.state, before, 'the state before the step'), []);
    replay(this.state, result.changes);
    assert.deepEqual(this.checker.checkAll(this.state), []);
    this.last = result;
    this.effects.push(...result.effects);
    this.#noteOutcomes();
    return result.reply;
  }

  #step<N extends CommandName>(command: CommandOf<N>): StepResult<N> {
    const moment = { now: this.nowMs, wallAt: 1e12 + this.nowMs };
    return step(this.state, this.timing, command as never, moment) as StepResult<N>;
  }

  /** Lets time pass and what is due happen. */
  pass(seconds: number): void {
    this.nowMs += seconds * 1000;
    this.send('tick', {});
  }

  // ---- clients ----

  submit(user: string, target: string, wish: Wish = {}): SubmitReply {
    const parsed = this.state.labIndex.parseTarget(target);
    if (!parsed.ok) throw new Error(`unknown ${parsed.unknown}`);
    return this.send('submit', {
      caller: asCaller(user),
      target: parsed.target,
      kind: 'lock',
      key: '0',
      set: user,
      priority: 1,
      holdSeconds: 0,
      detached: false,
      note: '',
      reuse: false,
      members: false,
      ...(wish.kind === 'run' || wish.kind === 'slot' ? { job: { image: 'hello' } } : {}),
      ...wish,
    });
  }

  /** Submits and returns the number of a ticket that waits or was offered a board. */
  ask(user: string, target: string, wish: Wish = {}): number {
    const reply = this.submit(user, target, wish);
    if (!('ticket' in reply)) throw new Error(`no ticket but ${JSON.stringify(reply)}`);
    return reply.ticket;
  }

  /** Asks for all of these boards at once; the number of the ticket. */
  askAll(user: string, boards: readonly string[], wish: Wish = {}): number {
    const needs = boards.map((name) => ({ target: { kind: 'board', name } as const, count: 1 }));
    const reply = this.submit(user, boards[0] ?? '', { ...wish, target: { kind: 'several', needs } });
    if (!('ticket' in reply)) throw new Error(`no ticket but ${JSON.stringify(reply)}`);
    return reply.ticket;
  }

  confirm(ticket: number): ConfirmReply {
    const { user, offer } = this.ticket(ticket);
    if (!offer) throw new Error(`ticket ${ticket} has no offer`);
    return this.send('confirm', { user, ticket, token: offer.token });
  }

  /** Submits, expects a board at once, and confirms it. */
  take(user: string, target: string, wish: Wish = {}): LockRecord {
    const ticket = this.ask(user, target, wish);
    const board = this.offered(ticket);
    if (board === undefined) throw new Error(`${target} was not free for ${user}`);
    this.confirm(ticket);
    return this.lock(board);
  }

  /** Runs a job on a board that is free, up to the agent's word that it has begun. */
  run(user: string, target: string, wish: Wish = {}): JobRecord {
    const id = this.ask(user, target, { kind: 'run', ...wish });
    this.confirm(id);
    const job = this.job(id);
    this.send('jobStarted', { job: id, token: job.token });
    return this.job(id);
  }

  release(
    user: string,
    boards: string | readonly string[],
    wish: Partial<CommandTypes['release']['body']> = {},
  ) {
    const names = typeof boards === 'string' ? [boards] : boards;
    const body = { caller: asCaller(user), boards: names, key: '0', force: false, note: '', ...wish };
    return this.send('release', body).outcomes.map((outcome) => outcome.outcome);
  }

  detach(ticket: number, gone = false): void {
    this.send('detach', { ticket, gone });
  }

  power(user: string, board: string, action: PowerAction, key = '0'): PowerReply {
    this.#requests += 1;
    const request = `request ${this.#requests}`;
    return this.send('power', { caller: asCaller(user), board, key, action, request });
  }

  // ---- agents ----

  /** Every board's agent is there, and knows these jobs. */
  present(boards: readonly string[] = [...this.state.boards.keys()], jobs: readonly JobRecord[] = []): void {
    const known = jobs.map(({ id }) => ({ id, state: 'running' as const }));
    this.send('agentPresent', { boards, jobs: known, highest: noToken });
  }

  away(...boards: readonly string[]): void {
    this.send('agentAway', { boards });
  }

  endJob(job: JobRecord, result: Partial<JobResult> = {}): void {
    this.send('jobEnded', { job: job.id, token: job.token, result: { ...done, ...result } });
  }

  poweredOff(board: string, ok = true): void {
    const token = this.lock(board).lastToken;
    this.send('poweredOff', { board, token, ok, detail: ok ? '' : 'no answer' });
  }

  /** Answers the power action that is under way, if there is one. */
  powered(board: string, ok = true): void {
    const request = this.state.locks.get(board)?.power?.request ?? 'none';
    this.send('powered', { board, request, ok, detail: ok ? '' : 'no answer' });
  }

  // ---- lock files ----

  /** Its lock file is made. */
  made(board: string): void {
    this.send('lockFileMade', { folder: this.#folder, board, token: this.lock(board).token });
  }

  /** The board's lock file is not that of its lock: another's, or none. */
  seen(board: string, found?: Partial<FoundFile>): void {
    const token = this.state.locks.get(board)?.token;
    const file = {
      id: '7.1',
      user: 'old',
      key: '0',
      sinceWallAt: 1e12 + this.nowMs,
      holdSeconds: 0,
      ...found,
    };
    const about = { folder: this.#folder, board, ...(token ? { token } : {}) };
    this.send('lockFileSeen', { ...about, ...(found ? { found: file } : {}) });
  }

  /** Without a why: it works again. */
  fileFault(board: string, why?: string): void {
    this.send('lockFileFault', {
      folder: this.#folder,
      boards: [board],
      ...(why === undefined ? {} : { why }),
    });
  }

  get #folder(): string {
    return this.state.lab.lockFiles ?? '/nowhere';
  }

  configure(options: LabOptions): boolean {
    return this.send('configure', { lab: defineLab(options), by: 'root' }).changed;
  }

  /** The server dies here and another starts from what was committed. */
  restart(settleSeconds = 2): void {
    this.state = this.checker.mirror.rebuild();
    this.checker.reclaims.restart();
    this.send('restart', { settleMs: settleSeconds * 1000 });
  }

  // ---- looking ----

  ticket(id: number): TicketRecord {
    const ticket = this.state.tickets.get(id);
    if (!ticket) throw new Error(`ticket ${id} is over`);
    return ticket;
  }

  job(id: number): JobRecord {
    const job = this.state.jobs.get(id);
    if (!job) throw new Error(`job ${id} is over`);
    return job;
  }

  lock(board: string): LockRecord {
    const lock = this.state.locks.get(board);
    if (!lock) throw new Error(`${board} is free`);
    return lock;
  }

  /** `free`, or the state of its lock. */
  stateOf(board: string): string {
    return this.state.locks.get(board)?.state ?? 'free';
  }

  /** The board that a ticket was offered. */
  offered(ticket: number): string | undefined {
    return this.state.tickets.get(ticket)?.offer?.board;
  }

  /** Which of these tickets has been offered a board. */
  whoIsNext(...tickets: readonly number[]): number | undefined {
    return tickets.find((ticket) => this.offered(ticket) !== undefined);
  }

  /** `waiting`, `parked`, `offered`, or how it ended. */
  fate(ticket: number): string {
    const live = this.state.tickets.get(ticket);
    return live ? live.state : (this.outcome(ticket)?.kind ?? 'unknown');
  }

  outcome(ticket: number): TicketRecord['outcome'] {
    return this.#outcomes.get(ticket);
  }

  /** Of the last step. */
  effectsOf<K extends Effect['kind']>(kind: K): Extract<Effect, { kind: K }>[] {
    return this.last.effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
  }

  get audit(): string[] {
    return this.last.audit.map((event) => event.event);
  }

  #noteOutcomes(): void {
    for (const change of this.last.changes) {
      const after = change.entity === 'ticket' ? (change.after as TicketRecord | undefined) : undefined;
      if (after?.outcome) this.#outcomes.set(after.id, after.outcome);
    }
  }
}
