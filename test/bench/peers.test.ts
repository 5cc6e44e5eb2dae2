// The comparison with other locks in miniature: the loads on a lock in memory, what gRPC etcd speaks, the table, and where
// etcd is there a lock of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { handOverFigures, measureHandOvers, measurePairs, type Peer } from '../../bench/peers/contest.ts';
import { findEtcd, keptEtcd, startEtcd } from '../../bench/peers/etcd.ts';
import { decode, encode, type Field } from '../../bench/peers/grpc.ts';
import { asMarkdown, kept, type PeerFigures, processes, ratiosOf } from '../../bench/peers/table.ts';

/** A lock in memory that serves whoever came first, or last. */
function memoryPeer(serve: 'first' | 'last'): Peer & { readonly most: () => number } {
  const waiting = new Map<string, (() => void)[]>();
  let holders = 0;
  let most = 0;
  const acquire = async (board: string) => {
    const line = waiting.get(board);
    if (line) await new Promise<void>((resolve) => line.push(resolve));
    else waiting.set(board, []);
    holders += 1;
    most = Math.max(most, holders);
    const release = async () => {
      holders -= 1;
      const next = serve === 'first' ? waiting.get(board)?.shift() : waiting.get(board)?.pop();
      if (next) next();
      else waiting.delete(board);
    };
    return { release };
  };
  return {
    name: 'memory',
    arriveEveryMs: 1,
    open: () => Promise.resolve({ acquire, close: () => undefined }),
    close: () => Promise.resolve(),
    most: () => most,
  };
}

test('pairs are counted, each client having a board of its own', async () => {
  const peer = memoryPeer('first');
  const found = await measurePairs(peer, 3, 0.02);
  assert.equal(found.clients, 3);
  assert.ok(found.pairsPerSecond > 0);
  assert.equal(peer.most(), 3);
});

test('hand-overs are one for each who waits, and in order where the first is served', async () => {
  const peer = memoryPeer('first');
  const found = await measureHandOvers(peer, 5, { queuesMax: 2 });
  assert.equal(found.length, 2 * 5);
  assert.deepEqual(new Set(found.map(({ isInOrder }) => isInOrder)), new Set([true]));
});

test('hand-overs are out of order where the last is served, but for the one who is alone', async () => {
  const found = await measureHandOvers(memoryPeer('last'), 5, { queuesMax: 1 });
  assert.deepEqual(
    found.map(({ isInOrder }) => isInOrder),
    [false, false, false, false, true],
  );
});

test('a message of gRPC is read as it was written', () => {
  const field: fc.Arbitrary<Field> = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 40 }), field), { selector: ([at]) => at }),
      (fields) => {
        assert.deepEqual(decode(encode(fields)), new Map(fields));
      },
    ),
  );
});

test('a message that ends too early, or has fields of another kind, is not read', () => {
  const whole = encode([[1, Buffer.from('board')]]);
  assert.throws(() => decode(whole.subarray(0, 4)), /middle of a field/);
  assert.throws(() => decode(Buffer.from([8, 255])), /middle of a number/);
  assert.throws(() => decode(Buffer.from([13, 0, 0, 0, 0])), /neither a number nor bytes/);
});

test('the table has a row for each load, and a ratio only where both sides were measured', () => {
  const one = (name: string, ms: number, pairsPerSecond: number): PeerFigures => ({
    name,
    pairs: [{ clients: 64, pairsPerSecond, clientMicroseconds: 50 }],
    handOvers: [handOverFigures(1, [{ ms, isInOrder: true }])],
  });
  const peers = [one(kept.ours, 1, 4000), one(kept.etcd, 2, 3000), one(processes.lockfile, 4000, 10)];
  const ratios = ratiosOf(peers);
  assert.deepEqual(
    ratios.map(({ times, goal }) => [times, goal]),
    [
      [4000, 2000],
      [2, 1],
      [4000 / 3000, 1],
    ],
  );
  const result = { peers, ratios, versions: { etcd: '3.4' }, syncMs: 0.3, roundTripMs: 0.1, absent: [] };
  const page = asMarkdown(result, 'a machine');
  assert.match(page, /\| etcd, kept connection \| 1 \| 2\.00 ms \| 2\.00 ms \| {2}\| 100 % \| 1 \|/);
  assert.match(page, /\| lockfile, a process each \| 64 \| 10\.0 \| 50 \|/);
  assert.deepEqual(ratiosOf(peers.slice(0, 1)), []);
});

test('etcd gives a lock over gRPC, and hands it on', async (t) => {
  const program = findEtcd('etcd');
  if (!program) return t.skip('etcd is missing; npm run setup:debian brings it');
  const etcd = await startEtcd(program);
  t.after(() => etcd.close());
  const found = await measureHandOvers(keptEtcd(etcd), 2, { queuesMax: 1 });
  assert.deepEqual(
    found.map(({ isInOrder }) => isInOrder),
    [true, true],
  );
});
