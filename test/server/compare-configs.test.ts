// How one configuration differs from another, in the words of its file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LabConfig } from '../../src/protocol/lab.ts';
import { compareConfigs } from '../../src/server/compare-configs.ts';
import { labConfig } from './lab.ts';

const [a, b] = labConfig.boards;
assert.ok(a && b);
const none = { added: [], removed: [], changed: [] };
const compare = (after: LabConfig, about: { started?: LabConfig; leaving?: string[] } = {}) =>
  compareConfigs(labConfig, after, { started: labConfig, leaving: [], warnings: [], ...about });

test('the same differs in nothing', () => {
  assert.deepEqual(compare(structuredClone(labConfig)), {
    boards: { ...none, renamed: [], leaving: [] },
    pools: none,
    settings: [],
    atNextStart: [],
    warnings: [],
  });
});

test('boards come, go, change, and get other names; those still in use are named', () => {
  const moved = { ...a, machine: { driver: 'script' as const, path: '/bin/false' } };
  const { boards } = compare({ ...labConfig, boards: [moved, { ...b, name: 'c' }] }, { leaving: ['b', 'x'] });
  assert.deepEqual(boards, { added: ['c'], removed: ['b'], changed: ['a'], renamed: [], leaving: ['b'] });
  const renamed = compare({ ...labConfig, boards: [a, { ...b, name: 'c', aliases: ['b', 'old'] }] }).boards;
  assert.deepEqual(renamed, { ...none, renamed: [{ from: 'b', to: 'c' }], leaving: [] });
});

test('pools come, go and change', () => {
  const pools = [
    { name: 'q', boards: ['a'], spread: false },
    { name: 'p', boards: ['b', 'a'], spread: false },
  ];
  assert.deepEqual(compare({ ...labConfig, pools }).pools, { added: ['q'], removed: [], changed: ['p'] });
  assert.deepEqual(compare({ ...labConfig, pools: [] }).pools, { ...none, removed: ['p'] });
});

test('other keys are named as the file names them', () => {
  const limits = { ...labConfig.limits, jobSecondsMax: 1, openStreams: 1 };
  const { settings } = compare({
    ...labConfig,
    name: 'N',
    admins: [],
    setFromKey: 'x',
    priorityHigh: ['r'],
    limits,
  });
  assert.deepEqual(settings, [
    'lab',
    'priority',
    'admins',
    'set_from_key',
    'limits.job_max',
    'limits.open_streams',
  ]);
});

test('what counts from the next start is said until then, and not once it is as it was at the start', () => {
  const changed = { ...labConfig, socketGroup: 'mq' };
  assert.deepEqual(compare(changed).atNextStart, ['socket_group']);
  const again = compareConfigs(changed, changed, { started: labConfig, leaving: [], warnings: [] });
  assert.deepEqual([again.settings, again.atNextStart], [[], ['socket_group']]);
  assert.deepEqual(
    compareConfigs(changed, labConfig, { started: labConfig, leaving: [], warnings: [] }).atNextStart,
    [],
  );
});
