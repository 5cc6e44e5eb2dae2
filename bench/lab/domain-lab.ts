// The scheduler alone, without store, sockets or disk: a lab in memory whose holders release and whose tickets wait, as
// in a lab that has more work than boards.
import type { Caller } from '../../src/domain/commands.ts';
import type {
  BoardDefinition,
  Change,
  LabDefinition,
  PoolDefinition,
  TargetSpec,
  Token,
} from '../../src/domain/records.ts';
import { step } from '../../src/domain/scheduler.ts';
import { State } from '../../src/domain/state.ts';
import { standardTiming } from '../../src/domain/timing.ts';

type Command = Parameters<typeof step>[2];
type CommandOf<N extends Command['name']> = Extract<Command, { name: N }>;

const limit = 1_000_000;

export interface Wish {
  readonly target: TargetSpec;
  readonly user: string;
  /** The user's name and a label: sets take turns. */
  readonly set: string;
}

interface Asker {
  readonly user: string;
  readonly key: string;
}

interface Holder extends Asker {
  readonly boards: readonly string[];
}

export class DomainLab {
  /** Of the last hand-over or pair. */
  changes: Change[] = [];
  /** Steps taken so far. */
  steps = 0;
  readonly #state = new State();
  readonly #holders: Holder[] = [];
  /** By ticket number. */
  readonly #askers: (Asker | undefined)[] = [];
  #nextHolder = 0;
  #nextKey = 0;
  #now = 1;

  constructor(lab: LabDefinition) {
    this.#do('configure', { lab, by: 'system' });
    const boards = lab.boards.map((board) => board.name);
    this.#do('agentPresent', { boards, jobs: [], highest: { generation: 1, number: 0 } });
  }

  get waiting(): number {
    return this.#state.tickets.size;
  }

  get isFull(): boolean {
    return this.#state.locks.size === this.#state.boards.size;
  }

  /** Submits, and confirms what is offered. */
  submit({ target, user, set }: Wish): void {
    const key = `key-${this.#nextKey++}`;
    const wish = {
      caller: caller(user),
      kind: 'lock',
      target,
      key,
      set,
      priority: 1,
      holdSeconds: 0,
    } as const;
    const { reply, effects } = this.#do('submit', {
      ...wish,
      ...{ detached: false, note: '', reuse: false, members: false },
    });
    if (reply.kind !== 'offered' && reply.kind !== 'waiting') throw new Error(`a submit was ${reply.kind}`);
    this.#askers[reply.ticket] = { user, key };
    for (const effect of effects) if (effect.kind === 'offer') this.#confirm(effect.ticket, effect.token);
  }

  /** The holder that has held longest releases, and whoever gets its boards confirms. Returns how many did. */
  handOver(): number {
    const { user, key, boards } = this.#takeHolder();
    const { effects } = this.#do('release', { caller: caller(user), boards, key, force: false, note: '' });
    let served = 0;
    for (const effect of effects) {
      if (effect.kind !== 'offer') continue;
      this.#confirm(effect.ticket, effect.token);
      served += 1;
    }
    return served;
  }

  #takeHolder(): Holder {
    const holder = this.#holders[this.#nextHolder];
    if (!holder) throw new Error('nobody holds a board');
    this.#nextHolder += 1;
    if (this.#nextHolder < 10_000) return holder;
    this.#holders.splice(0, this.#nextHolder);
    this.#nextHolder = 0;
    return holder;
  }

  #confirm(ticket: number, token: Token): void {
    const asker = this.#askers[ticket];
    if (!asker) throw new Error(`ticket ${ticket} is nobody's`);
    this.#askers[ticket] = undefined;
    const { reply } = this.#do('confirm', { user: asker.user, ticket, token });
    if (reply.kind !== 'held') throw new Error(`a confirm was ${reply.kind}`);
    this.#holders.push({ ...asker, boards: reply.locks.map((lock) => lock.board) });
  }

  #do<N extends Command['name']>(name: N, body: CommandOf<N>['body']) {
    this.#now += 1;
    this.steps += 1;
    const moment = { now: this.#now, wallAt: this.#now };
    const result = step(this.#state, standardTiming, { name, body } as CommandOf<N>, moment);
    this.changes.push(...result.changes);
    return result;
  }
}

export function labOf(boards: readonly BoardDefinition[], pools: readonly PoolDefinition[]): LabDefinition {
  return {
    boards,
    pools,
    discipline: 'turns',
    gatherSeconds: 600,
    limits: { ticketsPerUser: limit, queueLength: limit, adHocQueuesPerBoard: 64, boardsPerTicket: 32 },
  };
}

export function boardOf(name: string, attributes: Readonly<Record<string, string>> = {}): BoardDefinition {
  const files = { min: 1, max: 2 };
  return { name, aliases: [], attributes, files, linuxFiles: files, takesLinux: false, takesDtb: false };
}

function caller(user: string): Caller {
  return { user, admin: false };
}
