// Sets out of keys: jobs of one CI run are one set, though their clients name none.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LabConfig } from '../../src/protocol/lab.ts';
import { labConfig, startLab, TestClient } from './lab.ts';

const key = 'owner/repo-build-1234567-job-2';

/** The sets of tickets with these wishes, in a lab with this configuration. */
async function setsOf(t: TestContext, config: LabConfig, wishes: readonly { key: string; set?: string }[]) {
  const { lab } = await startLab(t, { config });
  const client = new TestClient(lab, 'ada');
  const sets: (string | undefined)[] = [];
  for (const wish of wishes) {
    const { ticket } = await client.lock('a', wish);
    sets.push(await lab.core.read((state) => state.tickets.get(ticket)?.set));
  }
  return sets;
}

test('the lab takes the label out of the key where the client names none', async (t) => {
  const config = { ...labConfig, setFromKey: '-([0-9]{6,})-' };
  const sets = await setsOf(t, config, [{ key }, { key: 'mine' }, { key: `${key}0`, set: 'nightly' }]);
  assert.deepEqual(sets, ['ada/1234567', 'ada', 'ada/nightly']);
});

test('a lab that was not told to takes nothing out of keys', async (t) => {
  assert.deepEqual(await setsOf(t, labConfig, [{ key }]), ['ada']);
});
