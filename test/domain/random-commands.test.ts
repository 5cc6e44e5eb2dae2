// Any commands in any order, thousands of them: every invariant holds after each, by brute force, and each step
// can be undone. What breaks is shrunk to the fewest commands that break it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Command } from '../../src/domain/commands.ts';
import { replay, step, undo } from '../../src/domain/scheduler.ts';
import { State } from '../../src/domain/state.ts';
import { standardTiming } from '../../src/domain/timing.ts';
import { Checker, compareStates } from '../../src/testing/simulation/checker.ts';
import { type Draft, drafts, firstLab, toCommand } from './random-commands.ts';

const runs = 150;
const commandsMax = 100;

/** Carries the drafts out one by one; fails at the first step that breaks something. */
function play(list: readonly Draft[]): number {
  const checker = new Checker();
  let state = new State();
  let now = 1_000_000;
  const take = (command: Command): void => {
    const before = checker.mirror.rebuild();
    const result = step(state, standardTiming, command, { now, wallAt: now });
    const told = JSON.stringify(command);
    assert.deepEqual(checker.take(command, result, now), [], told);
    assert.deepEqual(checker.checkAll(state), [], told);
    undo(state, result.changes);
    assert.deepEqual(compareStates(state, before, 'the state before'), [], told);
    replay(state, result.changes);
    assert.deepEqual(checker.checkRebuilt(state), [], told);
  };
  take({ name: 'configure', body: { lab: firstLab(), by: 'system' } });
  take({
    name: 'agentPresent',
    body: { boards: ['b1', 'b2', 'b3'], jobs: [], highest: { generation: 0, number: 0 } },
  });
  for (const draft of list) {
    now += draft.seconds * 1000;
    const command = toCommand(draft, state);
    if (command.name === 'restart') {
      state = checker.mirror.rebuild();
      checker.reclaims.restart();
    }
    take(command);
  }
  return list.length;
}

test('any commands in any order leave every invariant standing, and every step can be undone', () => {
  let commands = 0;
  fc.assert(
    fc.property(fc.array(drafts, { minLength: 1, maxLength: commandsMax, size: 'max' }), (list) => {
      commands += play(list);
    }),
    { numRuns: runs },
  );
  console.log(`${runs} runs, ${commands} commands`);
});
