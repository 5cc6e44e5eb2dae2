// Whether a commit costs more after years of use: one pair's rows written by the store into an empty database and into
// one that has seen many, in turns. Old tickets, answers and audit rows stay in the file until retention takes them.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditEvent } from '../src/domain/commands.ts';
import type { Change, LockRecord, TicketRecord } from '../src/domain/records.ts';
import type { Batch, Store } from '../src/store/contract.ts';
import { openSqliteStore } from '../src/store/sqlite/store.ts';
import { makeFolder } from './lab/lab.ts';
import { median } from './statistics.ts';

export interface HistoryFigures {
  readonly pairs: number;
  readonly newMs: number;
  readonly oldMs: number;
  /** Median over the commits of old ÷ new, each beside the other. */
  readonly ratio: number;
}

const pairsAtOnce = 500;
const threadUrl = new URL('../src/store/sqlite/thread.ts', import.meta.url);

/** `pairs`: what the old one has seen. */
export async function run(options: { pairs: number; commits: number }): Promise<HistoryFigures> {
  const folder = await makeFolder('history');
  const stores = [await openBook(join(folder, 'new')), await openBook(join(folder, 'old'))] as const;
  try {
    const [young, old] = stores;
    for (let left = options.pairs; left > 0; left -= pairsAtOnce) await old.write(pairsAtOnce);
    const times: [number, number][] = [];
    for (let left = options.commits; left > 0; left -= 1)
      times.push([await young.write(1), await old.write(1)]);
    return {
      pairs: options.pairs,
      newMs: median(times.map(([one]) => one)),
      oldMs: median(times.map(([, other]) => other)),
      ratio: median(times.map(([one, other]) => other / one)),
    };
  } finally {
    for (const store of stores) await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A store and the number of its next pair. */
async function openBook(path: string) {
  const store: Store = await openSqliteStore({ path, threadUrl });
  let next = 1;
  const write = async (count: number): Promise<number> => {
    const numbers = Array.from({ length: count }, () => next++);
    const batch = batchOf(numbers);
    const startedAt = performance.now();
    const outcome = await store.commit(batch);
    if (outcome.kind !== 'committed') throw new Error(`a commit was ${outcome.kind}: ${outcome.message}`);
    return performance.now() - startedAt;
  };
  return { write, close: () => store.close() };
}

/** Of each pair a ticket that ends, a lock that comes, the audit of both, and an answer. */
function batchOf(numbers: readonly number[]): Batch {
  const answerOf = (id: number) => ({
    requestId: `${Math.imul(id, 2_654_435_761) >>> 0}-${id}`,
    caller: 'ana',
    digest: 'd'.repeat(64),
    answer: JSON.stringify(ticketOf(id)),
  });
  const changes = numbers.flatMap((id): Change[] => [
    { entity: 'ticket', key: String(id), before: undefined, after: ticketOf(id) },
    {
      entity: 'lock',
      key: `board-${id % 100}`,
      before: id > 100 ? lockOf(id - 100) : undefined,
      after: lockOf(id),
    },
  ]);
  const audit = numbers.flatMap((id): AuditEvent[] => {
    const about = { by: 'ana', board: `board-${id % 100}`, ticket: id };
    return [
      { event: 'submitted', ...about },
      { event: 'confirmed', ...about },
    ];
  });
  return { changes, audit, answers: numbers.map(answerOf), now: numbers[0] ?? 0, wallAt: Date.now() };
}

function ticketOf(id: number): TicketRecord {
  const [user, set] = ['ana', 'ana/nightly'];
  const target = { kind: 'pool', name: 'pool' } as const;
  const asked = {
    id,
    user,
    key: '0',
    set,
    priority: 1,
    kind: 'lock',
    target,
    queue: 'p:pool',
    turnFloor: 0,
  } as const;
  const outcome = {
    kind: 'confirmed',
    board: `board-${id % 100}`,
    token: { generation: 1, number: id },
  } as const;
  const rest = { settling: false, holdSeconds: 0, submittedWallAt: id, detached: false, note: '' } as const;
  return { ...asked, ...rest, state: 'ended', outcome };
}

function lockOf(id: number): LockRecord {
  const token = { generation: 1, number: id };
  const whose = { user: 'ana', key: '0', set: 'ana/nightly', ticket: id, note: '' };
  const since = { grantedWallAt: id, heldWallAt: id, holdSeconds: 0, overdue: false };
  return {
    board: `board-${id % 100}`,
    token,
    lastToken: token,
    ...whose,
    ...since,
    state: 'held',
    kind: 'lock',
  };
}
