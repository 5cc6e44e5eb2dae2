// A slice of what `npm run histories` does: a real lab whose server, agent, clients and lines fail by chance, from a seed. The
// full figures are in test/long/histories.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, describeFigures } from '../../src/testing/histories/describe.ts';
import { runHistory } from '../../src/testing/histories/run-history.ts';

test('through kills of the server some order explains what clients saw, and nothing acknowledged is lost', {
  timeout: 120_000,
}, async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  const options = { seed, kills: 3, persons: 8, commands: 1, calm: false };
  const report = await runHistory(options);
  assert.deepEqual(report.problems, [], describeFailure(report, options));
  t.diagnostic(`seed ${seed}: ${describeFigures(report.figures)}`);
  assert.ok(report.figures.kills === 3 && report.figures.ordered > 20, 'there was something to judge');
});
