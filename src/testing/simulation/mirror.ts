// The records as a store would have them: plain maps that take committed changes, one by one, and check that each
// begins where the last one ended. A state is rebuilt from it as a server does at its start.
import type { Change, Entities, EntityName, LabDefinition, MetaRecord } from '../../domain/records.ts';
import { replay } from '../../domain/scheduler.ts';
import { initialMeta, State } from '../../domain/state.ts';

/** Live records, wherever they are kept: a state has them, and so has a mirror. */
export type Records = Readonly<
  Pick<State, 'meta' | 'lab' | 'boards' | 'locks' | 'tickets' | 'jobs' | 'queues' | 'turns'>
>;

/** The order in which the store reads its tables. */
const loadOrder: readonly EntityName[] = ['meta', 'board', 'queue', 'lab', 'turn', 'lock', 'ticket', 'job'];

/** Of so many starts one reads what was written. */
const writtenEvery = 4;

const noLab: LabDefinition = {
  boards: [],
  pools: [],
  discipline: 'turns',
  gatherSeconds: 0,
  limits: { ticketsPerUser: 0, queueLength: 0, adHocQueuesPerBoard: 0, boardsPerTicket: 0 },
};

export class Mirror implements Records {
  readonly boards: Records['boards'] = new Map();
  readonly locks: Records['locks'] = new Map();
  readonly tickets: Records['tickets'] = new Map();
  readonly jobs: Records['jobs'] = new Map();
  readonly queues: Records['queues'] = new Map();
  readonly turns: Records['turns'] = new Map();
  readonly #tables = {
    board: this.boards,
    lock: this.locks,
    ticket: this.tickets,
    job: this.jobs,
    queue: this.queues,
    turn: this.turns,
  };
  #loads = 0;
  #meta: MetaRecord | undefined;
  #lab: LabDefinition | undefined;

  get meta(): MetaRecord {
    return this.#meta ?? initialMeta;
  }

  get lab(): LabDefinition {
    return this.#lab ?? noLab;
  }

  get<E extends EntityName>(entity: E, key: string): Entities[E] | undefined {
    return this.#find(entity, key) as Entities[E] | undefined;
  }

  all<E extends EntityName>(entity: E): Entities[E][] {
    if (entity === 'meta' || entity === 'lab')
      return this.#entries(entity).map(([, one]) => one) as Entities[E][];
    return [...this.#table(entity).values()] as Entities[E][];
  }

  /** Takes a change in; a problem where it was made from another record than the last. */
  take(change: Change, problems: string[] = []): string[] {
    const { entity, key, before, after } = change;
    const known = this.#find(entity, key);
    const isFirst = known === undefined && (entity === 'meta' || entity === 'lab');
    if (known !== before && !isFirst && JSON.stringify(known) !== JSON.stringify(before))
      problems.push(`a change of ${entity} ${key} does not begin where the last one ended`);
    const isOver = after !== undefined && 'state' in after && after.state === 'ended';
    this.#write(entity, key, isOver ? undefined : after);
    return problems;
  }

  /** Every live record as a put, as a store gives them at a start: now and then written out as JSON and read again. */
  load(): Change[] {
    this.#loads += 1;
    const isWritten = this.#loads % writtenEvery === 0;
    const changes: Change[] = [];
    for (const entity of loadOrder) {
      for (const [key, record] of this.#entries(entity)) {
        const after = (isWritten ? JSON.parse(JSON.stringify(record)) : record) as Change['after'];
        changes.push({ entity, key, before: undefined, after });
      }
    }
    return changes;
  }

  rebuild(): State {
    const state = new State();
    replay(state, this.load());
    return state;
  }

  #find(entity: EntityName, key: string): unknown {
    if (entity === 'meta') return this.#meta;
    if (entity === 'lab') return this.#lab;
    return this.#table(entity).get(nameOf(entity, key));
  }

  #write(entity: EntityName, key: string, record: unknown): void {
    if (entity === 'meta') this.#meta = record as MetaRecord | undefined;
    else if (entity === 'lab') this.#lab = record as LabDefinition | undefined;
    else if (record === undefined) this.#table(entity).delete(nameOf(entity, key));
    else this.#table(entity).set(nameOf(entity, key), record);
  }

  #entries(entity: EntityName): [key: string, record: unknown][] {
    if (entity === 'meta') return this.#meta ? [['', this.#meta]] : [];
    if (entity === 'lab') return this.#lab ? [['', this.#lab]] : [];
    return [...this.#table(entity)].map(([name, record]) => [String(name), record]);
  }

  #table(entity: Exclude<EntityName, 'meta' | 'lab'>): Map<string | number, unknown> {
    return this.#tables[entity] as Map<string | number, unknown>;
  }
}

function nameOf(entity: EntityName, key: string): string | number {
  return entity === 'ticket' || entity === 'job' ? Number(key) : key;
}
