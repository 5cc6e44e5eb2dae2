// Batches of which each tells its number in four tables, and the judge of what of them is stored.
import assert from 'node:assert/strict';
import type { Change } from '../../src/domain/records.ts';
import type { Batch, Store } from '../../src/store/contract.ts';

/** The batch of this number, from 1. `paddingBytes` makes it large. */
export function numberedBatch(number: number, paddingBytes = 0): Batch {
  const detail = 'x'.repeat(paddingBytes);
  const ticket = { id: number, user: 'ada', state: 'ended', note: detail };
  const meta = (sequence: number) => ({ sequence, token: { generation: 1, number: sequence }, mode: 'open' });
  const changes = [
    { entity: 'ticket', key: String(number), before: undefined, after: ticket },
    { entity: 'meta', key: '', before: meta(number - 1), after: meta(number) },
  ] as unknown as Change[];
  return {
    changes,
    audit: [{ event: `batch ${number}`, by: 'ada', ticket: number }],
    answers: [{ requestId: `request-${number}`, caller: 'ada', digest: 'd', answer: String(number) }],
    now: number,
    wallAt: number,
  };
}

/** Asserts that the batches 1 to some number are stored whole and nothing of later ones; returns the number. */
export async function countStored(store: Store): Promise<number> {
  const { changes, now, answers } = await store.load();
  const meta = changes.find((change) => change.entity === 'meta')?.after as { sequence: number } | undefined;
  const count = meta?.sequence ?? 0;
  assert.equal(now, count);
  assert.equal(answers.length, Math.min(count, 10_000));
  const audit = await store.listAudit({ limit: count + 10 });
  assert.deepEqual(
    audit.map((row) => row.event),
    Array.from({ length: count }, (_, at) => `batch ${count - at}`),
  );
  for (const number of [1, Math.ceil(count / 2), count].filter((one) => one > 0 && one <= count)) {
    assert.equal((await store.findTicket(number))?.id, number);
    assert.equal((await store.findAnswer(`request-${number}`))?.answer, String(number));
  }
  assert.equal(await store.findTicket(count + 1), undefined);
  assert.equal(await store.findAnswer(`request-${count + 1}`), undefined);
  return count;
}
