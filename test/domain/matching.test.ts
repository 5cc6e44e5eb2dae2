// The matching of boards with what was asked for, against a search that tries everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchBoards } from '../../src/domain/matching.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** The most parts that these boards can serve, by trying everything. */
function most(boards: readonly string[], fits: (board: string) => readonly number[]): number {
  const [board, ...rest] = boards;
  if (board === undefined) return 0;
  const without = most(rest, fits);
  return fits(board).reduce((best, part) => {
    const others = (other: string) => fits(other).filter((one) => one !== part);
    return Math.max(best, 1 + most(rest, others));
  }, without);
}

test('as many parts get a board as can, no board twice, and the preferred boards are used', () => {
  const graph = fc.array(fc.uniqueArray(fc.nat(3)), { minLength: 6, maxLength: 6 });
  fc.assert(
    fc.property(graph, (edges) => {
      const fits = (board: string): readonly number[] => edges[names.indexOf(board)] ?? [];
      const answer = matchBoards(names, fits, 4);
      const used = answer.filter((board) => board !== undefined);
      assert.equal(new Set(used).size, used.length);
      for (const [part, board] of answer.entries())
        if (board !== undefined) assert.ok(fits(board).includes(part));
      assert.equal(used.length, most(names, fits));
      // Each board that was passed over would not have done beside those before it.
      for (const [at, board] of names.entries()) {
        const before = names.slice(0, at).filter((name) => used.includes(name));
        const isUsed = most([...before, board], fits) > before.length;
        assert.equal(used.includes(board), isUsed, `${board} of ${JSON.stringify(edges)}`);
      }
    }),
  );
});

test('nothing fits nothing', () => {
  assert.deepEqual(
    matchBoards(names, () => [], 2),
    [undefined, undefined],
  );
});
