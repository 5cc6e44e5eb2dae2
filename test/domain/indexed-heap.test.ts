// The heap under every ordered index, against a plain sorted list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IndexedHeap } from '../../src/domain/indexed-heap.ts';

type Rank = [number, number, number];

const ranks = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4));
const moves = fc.array(fc.tuple(fc.nat(20), fc.option(ranks)), { maxLength: 80 });

test('gives its keys in the order of their ranks, then of the keys, after any moves and removals', () => {
  fc.assert(
    fc.property(moves, fc.nat(4), (list, limit) => {
      const heap = new IndexedHeap();
      const plain = new Map<string, Rank>();
      for (const [number, rank] of list) {
        const key = `k${number}`;
        if (rank) {
          heap.set(key, ...rank);
          plain.set(key, rank);
        } else {
          heap.delete(key);
          plain.delete(key);
        }
        const sorted = [...plain].sort(byRank);
        assert.equal(heap.size, sorted.length);
        assert.equal(heap.peek(), sorted[0]?.[0]);
        assert.deepEqual(heap.peekRank(), sorted[0]?.[1]);
        assert.equal(heap.has(key), plain.has(key));
        assert.deepEqual(
          heap.sorted(),
          sorted.map(([name]) => name),
        );
        assert.deepEqual(
          [...heap.upTo(limit)],
          sorted.filter(([, [first]]) => first <= limit).map(([name]) => name),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test('is empty when everything was taken out one by one, smallest first', () => {
  const heap = new IndexedHeap();
  for (let number = 0; number < 100; number += 1) heap.set(String(number), (number * 37) % 100);
  const order: number[] = [];
  for (let key = heap.peek(); key !== undefined; key = heap.peek()) {
    order.push(heap.peekRank()?.[0] ?? -1);
    heap.delete(key);
  }
  assert.deepEqual(
    order,
    Array.from({ length: 100 }, (_, number) => number),
  );
});

function byRank([keyA, a]: [string, Rank], [keyB, b]: [string, Rank]): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || (keyA < keyB ? -1 : 1);
}
