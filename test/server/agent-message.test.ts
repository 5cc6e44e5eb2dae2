// What of an agent's messages the server takes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AgentToServer } from '../../src/protocol/agent-messages.ts';
import { checkAgentMessage } from '../../src/server/agent-message.ts';
import { startLab, TestClient } from './lab.ts';

const result = { verdict: 'completed', detail: '', mayBeOn: false, consoleLength: 3, matchEnd: 2 } as const;
const samples: { [T in AgentToServer['type']]: Extract<AgentToServer, { type: T }> } = {
  hello: {
    ...{ type: 'hello', protocol: 1, agent: 'a', version: '1', boot: 'b', pid: 1, highestToken: '1.2' },
    jobs: [{ id: 1, board: 'pc1', token: '1.1', consoleLength: 3, state: 'ended', result }],
  },
  boards: {
    ...{ type: 'boards', ready: ['pc1'], failed: [{ board: 'pc2', why: 'no such file' }] },
    abilities: [{ board: 'pc1', can: ['power-on', 'console'] }],
  },
  'need-image': { type: 'need-image', transfer: 1, hash: 'a'.repeat(64) },
  started: { type: 'started', job: 1, token: '1.1' },
  completed: { type: 'completed', job: 1, matchEnd: 5, open: false },
  'console-gap': { type: 'console-gap', job: 1, offset: 5, length: 2 ** 40 },
  ended: { type: 'ended', job: 1, token: '1.1', result },
  'powered-off': { type: 'powered-off', board: 'pc1', token: '1.1', ok: false, detail: 'no answer' },
  'power-done': { type: 'power-done', board: 'pc1', request: 'r', outcome: 'done', power: 'on', detail: '' },
  refused: { type: 'refused', action: 'start', board: 'pc1', token: '1.1', why: 'lower' },
  pong: { type: 'pong', nonce: 1 },
};
/** What a message may leave out. */
const optional = ['abilities', 'power'];

describe('a message of the agent', () => {
  for (const [type, sample] of Object.entries(samples)) {
    test(`${type} is taken as it is, also with members of a newer agent`, () => {
      assert.deepEqual(checkAgentMessage(sample), { kind: 'message', message: sample });
      assert.equal(checkAgentMessage({ ...sample, later: true }).kind, 'message');
    });

    test(`${type} is refused where any of its parts is missing or something else`, () => {
      for (const name of Object.keys(sample)) {
        if (name === 'type') continue;
        const { [name]: _left, ...rest } = sample as unknown as Record<string, unknown>;
        if (!optional.includes(name)) assert.equal(checkAgentMessage(rest).kind, 'bad', `without ${name}`);
        assert.equal(checkAgentMessage({ ...rest, [name]: Symbol('odd') }).kind, 'bad', `odd ${name}`);
      }
    });
  }

  test('whatever JSON comes, the answer is one of the three', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(samples), 'toString'), (value, type) => {
        const message = typeof value === 'object' && value !== null ? { ...value, type } : value;
        assert.ok(['message', 'unknown', 'bad'].includes(checkAgentMessage(message).kind));
      }),
    );
  });
});

test('an agent that sends what is none loses its connection, and nothing of it comes before clients', async (t) => {
  const { lab, agent } = await startLab(t);
  const ana = new TestClient(lab, 'ana');
  const job = await ana.run('a');
  await agent.until(() => agent.jobs.has(job));
  const before = agent.connections;
  agent.send({ type: 'completed', job, matchEnd: 'here' as unknown as number, open: false });
  await agent.until(() => agent.connections > before && agent.heardOf('welcome').length > before);
  const { jobs } = await ana.call('jobs', {});
  assert.equal(jobs[0]?.matchEnd, undefined);
});

test('console bytes of a job that there is not open no log', async (t) => {
  const { lab, agent } = await startLab(t);
  const nobody = { board: 'a', token: '1.1', console: Buffer.alloc(0), lostBefore: 0, sent: 0 };
  agent.jobs.set(77, { ...nobody, matchEnd: undefined, result: undefined });
  agent.say(77, 'hello');
  const ana = new TestClient(lab, 'ana');
  const job = await ana.run('a');
  await agent.until(() => agent.jobs.has(job));
  agent.say(job, 'done');
  agent.end(job);
  await agent.until(() => agent.forgotten.includes(job));
  assert.equal(await lab.consoles.has(job), true);
  assert.equal(await lab.consoles.has(77), false);
});
