// The states of a job, as a table of what each event does in each, and what holds whatever comes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  firstState,
  type JobInput,
  type JobPlan,
  type JobState,
  mayBeOn,
  ownLimitSeconds,
  step,
} from '../../src/agent/job-machine.ts';

const plain: JobPlan = {
  kind: 'image',
  watches: false,
  keepOn: false,
  hasEndText: true,
  leaveOn: false,
  timeoutSeconds: 60,
  jobMaxSeconds: 7_200,
};
const keptOn: JobPlan = { ...plain, keepOn: true };
const watching: JobPlan = { ...plain, watches: true };
const reserve: JobPlan = { ...plain, kind: 'reserve' };

const turn: JobInput = { kind: 'turn' };
const isOff: JobInput = { kind: 'powered-off', ok: true, why: '' };
const isNotOff: JobInput = { kind: 'powered-off', ok: false, why: 'no answer' };
const files: JobInput = { kind: 'files', ok: true, why: '' };
const end: JobInput = { kind: 'matched', text: 'end', matchEnd: 7 };
const error: JobInput = { kind: 'matched', text: 'error', matchEnd: 7 };
const cancel: JobInput = { kind: 'cancel', why: 'ana said so' };
const finish: JobInput = { kind: 'finish' };
const superseded: JobInput = { kind: 'superseded', by: '1.9' };
const quiet: JobInput = { kind: 'quiet', ok: true, why: '' };
const stuck: JobInput = { kind: 'quiet', ok: false, why: 'it does not stop' };
const policy: JobInput = { kind: 'time-up', limit: 'policy' };
const own: JobInput = { kind: 'time-up', limit: 'own' };
const spoolFailed: JobInput = { kind: 'spool-failed', why: 'disk full' };
const crashed: JobInput = { kind: 'exited', exit: { kind: 'crashed', message: 'halted' } };
const exited = (code: number): JobInput => ({ kind: 'exited', exit: { kind: 'exited', code } });

const running = [turn, isOff, files];

/** Feeds inputs and tells where the job stands: its phase, or its verdict behind '='; and the effects of the last one. */
function after(plan: JobPlan, inputs: readonly JobInput[]): { at: string; effects: string; state: JobState } {
  let state = firstState;
  let effects = '';
  for (const input of inputs) {
    const next = step(plan, state, input);
    state = next.state;
    effects = next.effects.map(({ kind }) => kind).join(' ');
  }
  return {
    at: 'outcome' in state ? `${state.phase} = ${state.outcome.verdict}` : state.phase,
    effects,
    state,
  };
}

/** Plan, inputs, where the job stands then, effects of the last input. */
const table: Record<string, [JobPlan, JobInput[], string, string]> = {
  'its turn': [plain, [turn], 'preparing', 'power-off-first fetch-files'],
  'its turn, on a board that watches': [watching, [turn], 'preparing', 'fetch-files'],
  'its turn, as a reservation': [reserve, [turn], 'open', 'tell-started'],
  'no turn': [plain, [{ kind: 'blocked', why: 'busy' }], 'ended = lab-fault', 'conclude'],
  'cancelled before its turn': [plain, [cancel], 'ended = cancelled', 'conclude'],
  'superseded before its turn': [plain, [superseded], 'ended = cancelled', 'conclude'],
  'a turn after the end': [plain, [cancel, turn], 'ended = cancelled', ''],
  'off, files missing': [plain, [turn, isOff], 'preparing', ''],
  'files, not off': [plain, [turn, files], 'preparing', ''],
  'off, then files': [plain, [turn, isOff, files], 'running', 'tell-started start'],
  'files, then off': [plain, [turn, files, isOff], 'running', 'tell-started start'],
  'files, on a board that watches': [watching, [turn, files], 'running', 'tell-started start'],
  'not off beforehand': [plain, [turn, isNotOff], 'stopping = lab-fault', 'stop'],
  'not off beforehand, quiet': [plain, [turn, isNotOff, quiet], 'ended = lab-fault', 'conclude'],
  'no files': [plain, [turn, { kind: 'files', ok: false, why: 'gone' }], 'stopping = lab-fault', 'stop'],
  'no files in time': [plain, [turn, policy], 'stopping = lab-fault', 'stop'],
  'cancelled while off is awaited': [plain, [turn, cancel], 'stopping = cancelled', 'stop'],
  'cancelled, and off while it stops': [plain, [turn, cancel, isOff, quiet], 'ended = cancelled', 'conclude'],
  'cancelled before off': [plain, [turn, files, cancel, quiet], 'powering-off = cancelled', 'power-off-last'],
  'superseded in preparation': [plain, [turn, superseded], 'stopping = cancelled', 'abort-power stop'],
  'superseded, then quiet': [plain, [turn, superseded, quiet], 'ended = cancelled', 'conclude'],
  'end text': [plain, [...running, end], 'stopping = completed', 'stop'],
  'error text': [plain, [...running, error], 'stopping = error-text', 'stop'],
  'own limit': [plain, [...running, own], 'stopping = timed-out', 'stop'],
  "the lab's limit": [plain, [...running, policy], 'stopping = timed-out', 'stop'],
  'no room for the console': [plain, [...running, spoolFailed], 'stopping = lab-fault', 'stop'],
  'a crash': [plain, [...running, crashed], 'stopping = error-text', 'stop'],
  'exit 0 without an end text': [plain, [...running, exited(0)], 'stopping = error-text', 'stop'],
  'exit 0 of a program that watches': [watching, [turn, files, exited(0)], 'stopping = completed', 'stop'],
  'exit 4 of a program that watches': [watching, [turn, files, exited(4)], 'stopping = error-text', 'stop'],
  'finish of a job that closes itself': [plain, [...running, finish], 'running', ''],
  'quiet after the end': [plain, [...running, end, quiet], 'powering-off = completed', 'power-off-last'],
  'stuck after the end': [plain, [...running, end, stuck], 'ended = completed', 'conclude'],
  'off after the end': [plain, [...running, end, quiet, isOff], 'ended = completed', 'conclude'],
  'not off after the end': [plain, [...running, end, quiet, isNotOff], 'ended = completed', 'conclude'],
  'cancel after the end': [plain, [...running, end, cancel], 'stopping = completed', ''],
  'superseded while it stops': [plain, [...running, end, superseded], 'stopping = completed', 'abort-power'],
  'superseded while it stops, then quiet': [
    plain,
    [...running, end, superseded, quiet],
    'ended = completed',
    'conclude',
  ],
  'superseded while it powers off': [
    plain,
    [...running, end, quiet, superseded],
    'powering-off = completed',
    'abort-power',
  ],
  'kept on: end text': [keptOn, [...running, end], 'open', ''],
  'kept on: error text': [keptOn, [...running, error], 'stopping = error-text', 'stop'],
  'kept on: finish, then end text': [keptOn, [...running, finish, end], 'stopping = completed', 'stop'],
  'kept on: end text, then finish': [keptOn, [...running, end, finish], 'stopping = completed', 'stop'],
  'kept on: finish before its turn': [keptOn, [finish, ...running, end], 'stopping = completed', 'stop'],
  'kept on: own limit after the end text': [keptOn, [...running, end, own], 'open', ''],
  "kept on: the lab's limit": [keptOn, [...running, end, policy], 'stopping = timed-out', 'stop'],
  'kept on: cancel': [keptOn, [...running, end, cancel], 'stopping = cancelled', 'stop'],
  'kept on: the board ends': [keptOn, [...running, end, crashed], 'stopping = completed', 'stop'],
  'kept on: the board fails': [
    keptOn,
    [...running, end, { kind: 'exited', exit: { kind: 'fault', message: 'thread' } }],
    'stopping = lab-fault',
    'stop',
  ],
  'kept on without an end text: finish': [
    { ...keptOn, hasEndText: false },
    [...running, finish],
    'stopping = completed',
    'stop',
  ],
  'kept on without an end text: finish before its turn': [
    { ...keptOn, hasEndText: false },
    [finish, ...running],
    'stopping = completed',
    'tell-started start stop',
  ],
  'kept on without an end text: finish in preparation': [
    { ...keptOn, hasEndText: false },
    [turn, isOff, finish, files],
    'stopping = completed',
    'tell-started start stop',
  ],
  "the lab's limit before its turn": [plain, [policy], 'ended = lab-fault', 'conclude'],
  'left on: end text': [
    { ...keptOn, leaveOn: true },
    [...running, end, finish, quiet],
    'ended = completed',
    'conclude',
  ],
  'left on, but cancelled': [
    { ...keptOn, leaveOn: true },
    [...running, end, cancel, quiet],
    'powering-off = cancelled',
    'power-off-last',
  ],
  'reservation: finish': [reserve, [turn, finish, quiet], 'powering-off = completed', 'power-off-last'],
  'reservation: finish before its turn': [
    reserve,
    [finish, turn],
    'stopping = completed',
    'tell-started stop',
  ],
};

describe('a job', () => {
  for (const [what, [plan, inputs, at, effects]] of Object.entries(table)) {
    test(`${what}: ${at}`, () => {
      const result = after(plan, inputs);
      assert.deepEqual([result.at, result.effects], [at, effects]);
    });
  }
});

test('a board counts as off only after a power off that worked with nothing started behind it', () => {
  assert.equal(mayBeOn(after(plain, [turn, isOff, cancel, quiet]).state), false);
  assert.equal(mayBeOn(after(plain, [...running, end, quiet, isOff]).state), false);
  assert.equal(mayBeOn(after(plain, [...running, end, quiet, isNotOff]).state), true);
  assert.equal(mayBeOn(after(plain, [...running, end, superseded, quiet]).state), true);
  assert.equal(mayBeOn(after(plain, [cancel]).state), true);
});

test('the own limit of a job acts only where it is not longer than the policy of the lab', () => {
  assert.equal(ownLimitSeconds(plain), 60);
  assert.equal(ownLimitSeconds({ ...plain, timeoutSeconds: 7_201 }), undefined);
  assert.equal(ownLimitSeconds({ ...plain, timeoutSeconds: -1 }), undefined);
  assert.equal(ownLimitSeconds(watching), 90);
  assert.equal(ownLimitSeconds({ ...watching, keepOn: true }), undefined);
});

const anyInput: fc.Arbitrary<JobInput> = fc.oneof(
  fc.constantFrom<JobInput>(turn, isOff, isNotOff, files, end, error, cancel, finish, superseded),
  fc.constantFrom<JobInput>(quiet, stuck, policy, own, spoolFailed, crashed, exited(0), exited(1)),
  fc.constantFrom<JobInput>({ kind: 'blocked', why: 'busy' }, { kind: 'files', ok: false, why: 'gone' }),
);
const anyPlan: fc.Arbitrary<JobPlan> = fc.record({
  kind: fc.constantFrom('image' as const, 'reserve' as const),
  watches: fc.boolean(),
  keepOn: fc.boolean(),
  hasEndText: fc.boolean(),
  leaveOn: fc.boolean(),
  timeoutSeconds: fc.constantFrom(-1, 10),
  jobMaxSeconds: fc.constant(100),
});

test('whatever comes: one verdict that stays, one end, one start, and no power after a newer token', () => {
  fc.assert(
    fc.property(anyPlan, fc.array(anyInput, { maxLength: 14 }), (plan, inputs) => {
      let state = firstState;
      let verdict: string | undefined;
      const counts = new Map<string, number>();
      for (const input of inputs) {
        const wasSuperseded = state.superseded;
        const next = step(plan, state, input);
        for (const { kind } of next.effects) {
          counts.set(kind, (counts.get(kind) ?? 0) + 1);
          if (wasSuperseded) assert.ok(!kind.startsWith('power-off') && kind !== 'start', kind);
        }
        state = next.state;
        if (!('outcome' in state)) continue;
        verdict ??= state.outcome.verdict;
        assert.equal(state.outcome.verdict, verdict);
      }
      for (const once of ['start', 'stop', 'conclude', 'power-off-first', 'power-off-last', 'tell-started']) {
        assert.ok((counts.get(once) ?? 0) <= 1, once);
      }
      assert.equal(counts.get('conclude') === 1, state.phase === 'ended');
    }),
    { numRuns: 3_000 },
  );
});

test('from anywhere a cancel, a quiet board and an answer of the power lead to the end', () => {
  fc.assert(
    fc.property(anyPlan, fc.array(anyInput, { maxLength: 10 }), (plan, inputs) => {
      let state = firstState;
      for (const input of [...inputs, cancel, quiet, isOff]) state = step(plan, state, input).state;
      assert.equal(state.phase, 'ended');
    }),
    { numRuns: 3_000 },
  );
});
