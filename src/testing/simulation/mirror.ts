// The records as a store would have them: plain maps that take committed changes, one by one, and check that each
// begins where the last one ended. A state is rebuilt from it as a server does at its start.
import type { Change, Entities, EntityName, LabDefinition } from '../../domain/records.ts';
import { replay } from '../../domain/scheduler.ts';
import { State } from '../../domain/state.ts';

/** The order in which the store reads its tables. */
const loadOrder: readonly EntityName[] = ['meta', 'board', 'queue', 'lab', 'turn', 'lock', 'ticket', 'job'];

const noLab: LabDefinition = {
  boards: [],
  pools: [],
  discipline: 'turns',
  gatherSeconds: 0,
  limits: { ticketsPerUser: 0, queueLength: 0, adHocQueuesPerBoard: 0, boardsPerTicket: 0 },
};

export class Mirror {
  readonly #tables = new Map<EntityName, Map<string, unknown>>(loadOrder.map((name) => [name, new Map()]));

  get lab(): LabDefinition {
    return this.get('lab', '') ?? noLab;
  }

  get<E extends EntityName>(entity: E, key: string): Entities[E] | undefined {
    return this.#table(entity).get(key) as Entities[E] | undefined;
  }

  all<E extends EntityName>(entity: E): Entities[E][] {
    return [...this.#table(entity).values()] as Entities[E][];
  }

  /** Takes a change in; a problem where it was made from another record than the last. */
  take(change: Change): string[] {
    const { entity, key, before, after } = change;
    const table = this.#table(entity);
    const known = table.get(key);
    const isFirst = known === undefined && (entity === 'meta' || entity === 'lab');
    const problems =
      known === before || isFirst || JSON.stringify(known) === JSON.stringify(before)
        ? []
        : [`a change of ${entity} ${key} does not begin where the last one ended`];
    const isOver = after !== undefined && 'state' in after && after.state === 'ended';
    if (after === undefined || isOver) table.delete(key);
    else table.set(key, after);
    return problems;
  }

  /** Every live record as a put, as a store gives them at a start: written out as JSON and read again. */
  load(): Change[] {
    return loadOrder.flatMap((entity) =>
      [...this.#table(entity)].map(([key, after]) => ({
        entity,
        key,
        before: undefined,
        after: JSON.parse(JSON.stringify(after)),
      })),
    ) as Change[];
  }

  rebuild(): State {
    const state = new State();
    replay(state, this.load());
    return state;
  }

  #table(entity: EntityName): Map<string, unknown> {
    const table = this.#tables.get(entity);
    if (!table) throw new Error(`no table ${entity}`);
    return table;
  }
}
