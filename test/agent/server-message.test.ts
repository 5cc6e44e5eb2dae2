// What of a server's messages the agent takes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { checkServerMessage } from '../../src/agent/server-message.ts';
import type { ServerToAgent } from '../../src/protocol/agent-messages.ts';
import { machineOf, start } from './lab.ts';

const hash = 'a'.repeat(64);
const samples: { [T in ServerToAgent['type']]: Extract<ServerToAgent, { type: T }> } = {
  welcome: {
    type: 'welcome',
    protocol: 1,
    server: 'lab',
    boards: [
      { name: 'pc1', machine: machineOf('pc1') },
      { name: 'pc2', machine: { driver: 'v86', memoryMb: 32 } },
    ],
    consoleFrom: [{ job: 1, offset: 2 ** 40 }],
    logBytesMax: 1,
  },
  boards: { type: 'boards', boards: [{ name: 'pc1', machine: machineOf('pc1') }], logBytesMax: 1 },
  start: start({ spec: { dtb: { name: 'x.dtb', hash, size: 1 } } }),
  cancel: { type: 'cancel', job: 1, token: '1.1', why: '' },
  finish: { type: 'finish', job: 1, token: '1.1' },
  write: { type: 'write', job: 1, token: '1.1', bytes: 'bHMK' },
  power: {
    type: 'power',
    board: 'pc1',
    token: '1.1',
    request: 'request-1',
    action: 'cycle',
    again: false,
  },
  'power-off': { type: 'power-off', board: 'pc1', token: '1.1' },
  'image-missing': { type: 'image-missing', transfer: 1, hash, why: 'expired' },
  'image-size': { type: 'image-size', transfer: 1, hash, size: 0 },
  forget: { type: 'forget', job: 1 },
  retire: { type: 'retire' },
  ping: { type: 'ping', nonce: 0 },
};

describe('a message of the server', () => {
  for (const [type, sample] of Object.entries(samples)) {
    test(`${type} is taken as it is, also with members of a newer server`, () => {
      assert.deepEqual(checkServerMessage(sample), { kind: 'message', message: sample });
      assert.equal(checkServerMessage({ ...sample, later: true }).kind, 'message');
    });

    test(`${type} is refused where any of its parts is missing or something else`, () => {
      for (const name of Object.keys(sample)) {
        if (name === 'type') continue;
        const { [name]: _left, ...rest } = sample as unknown as Record<string, unknown>;
        assert.equal(checkServerMessage(rest).kind, 'bad', `without ${name}`);
        assert.equal(checkServerMessage({ ...rest, [name]: Symbol('odd') }).kind, 'bad', `odd ${name}`);
      }
    });
  }
});

test('numbers that a console stream can not carry, and tokens that are none, are refused', () => {
  for (const odd of [
    { job: 2 ** 32 },
    { job: 0 },
    { job: 1.5 },
    { token: '1' },
    { token: '1.2.3' },
    { token: '-1.2' },
  ]) {
    assert.equal(checkServerMessage({ ...samples.cancel, ...odd }).kind, 'bad', JSON.stringify(odd));
  }
  assert.equal(checkServerMessage({ ...samples.write, bytes: 'not base64!' }).kind, 'bad');
});

test('a type from the future is told apart from a malformed one, also with the name of an inherited member', () => {
  assert.deepEqual(checkServerMessage({ type: 'sing' }), { kind: 'unknown', type: 'sing' });
  assert.deepEqual(checkServerMessage({ type: 'toString' }), { kind: 'unknown', type: 'toString' });
  for (const odd of [null, 1, 'start', [], {}, { type: 1 }])
    assert.equal(checkServerMessage(odd).kind, 'bad');
});

test('whatever JSON comes, the answer is one of the three', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(samples)), (value, type) => {
      const message = typeof value === 'object' && value !== null ? { ...value, type } : value;
      assert.ok(['message', 'unknown', 'bad'].includes(checkServerMessage(message).kind));
    }),
  );
});
