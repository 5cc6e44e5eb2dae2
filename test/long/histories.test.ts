// A thousand kills of the server, beside kills of the agent, of clients and of lines, and pauses beyond every grace: in rounds,
// each a lab of its own from a seed of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, describeFigures, sumFigures } from '../../src/testing/histories/describe.ts';
import { type Figures, runHistory } from '../../src/testing/histories/run-history.ts';

const first = Math.floor(Math.random() * 1e9);
/** Of each ten rounds one has the pauses, which take most of a minute. */
const rounds = 20;
const kills = 51;

test('over a thousand kills of the server nothing is lost and nothing is had twice', async (t) => {
  const all: Figures[] = [];
  for (let at = 0; at < rounds; at += 1) {
    const options = { seed: first + at, kills, persons: 20, commands: 3, calm: at % 10 === 5 };
    const report = await runHistory(options);
    assert.deepEqual(report.problems, [], describeFailure(report, options));
    all.push(report.figures);
    t.diagnostic(`seed ${options.seed}: ${describeFigures(report.figures)}`);
  }
  const figures = sumFigures(all);
  t.diagnostic(`in all: ${describeFigures(figures)}`);
  assert.ok(figures.kills >= 1_000, 'the server was killed a thousand times');
});
