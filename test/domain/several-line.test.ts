// The line of tickets for several boards, against a plain sorted list.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PriorityClass, TicketRecord } from '../../src/domain/records.ts';
import { inOrderOf, SeveralLine } from '../../src/domain/several-line.ts';
import { compareRanks, type Rank } from '../../src/domain/ticket-queue.ts';

interface Asked {
  readonly priority: PriorityClass;
  readonly set: string;
  readonly floor: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  priority: fc.constantFrom(0 as const, 1 as const, 2 as const),
  set: fc.constantFrom('a', 'b', 'c'),
  floor: fc.constantFrom(0, 0, 0, 5, 40),
});
const moves = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), asked }) },
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('turn' as const), set: fc.constantFrom('a', 'b', 'c'), turn: fc.nat(60) }),
  ),
  { maxLength: 60 },
);

/** A line, and what is in it. */
class Line {
  readonly line: SeveralLine;
  readonly plain = new Map<number, Asked>();
  readonly #turns = new Map<string, number>();

  constructor() {
    this.line = new SeveralLine((set, id) => this.#turnOf(set, id));
  }

  add(id: number, ticket: Asked): void {
    this.plain.set(id, ticket);
    this.line.add(record(id, ticket), ticket.floor);
  }

  removeAt(at: number): void {
    const [id, ticket] = [...this.plain][at] ?? [];
    if (id === undefined || !ticket) return;
    this.line.remove(record(id, ticket), ticket.floor);
    this.plain.delete(id);
  }

  setTurn(set: string, turn: number): void {
    this.#turns.set(set, turn);
    this.line.refreshSet(set);
  }

  ranks(): Rank[] {
    const all = [...this.plain].map(([id, { priority, set }]) => {
      return { priority, turn: this.#turnOf(set, id), arrival: id };
    });
    return all.sort(compareRanks);
  }

  #turnOf(set: string, id: number): number {
    return Math.max(id, this.plain.get(id)?.floor ?? 0, this.#turns.get(set) ?? 0);
  }
}

test('gives its tickets by class, turn and arrival, after any that come, leave or change their turn', () => {
  fc.assert(
    fc.property(moves, (list) => {
      const one = new Line();
      for (const [at, move] of list.entries()) {
        if (move.kind === 'add') one.add(at + 1, move.asked);
        else if (move.kind === 'remove') one.removeAt(move.at);
        else one.setTurn(move.set, move.turn);
        assert.deepEqual([...one.line.inOrder()], one.ranks());
        assert.equal(one.line.size, one.plain.size);
      }
    }),
  );
});

test('of several lines gives each ticket once, with its smallest rank', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), asked), { maxLength: 30 }), fc.nat(60), (list, turn) => {
      const lines = [new Line(), new Line(), new Line()];
      lines[1]?.setTurn('a', turn);
      for (const [at, [first, ticket]] of list.entries()) {
        for (const line of lines.slice(first)) line.add(at + 1, ticket);
      }
      const best = new Map<number, Rank>();
      for (const rank of lines.flatMap((line) => line.ranks()).sort(compareRanks)) {
        if (!best.has(rank.arrival)) best.set(rank.arrival, rank);
      }
      assert.deepEqual([...inOrderOf(lines.map(({ line }) => line))], [...best.values()]);
    }),
  );
});

test('a ticket that is not in the line is a mistake of the caller', () => {
  const { line } = new Line();
  assert.throws(() => line.remove(record(1, { priority: 1, set: 'a', floor: 0 }), 0), /not in its line/);
});

function record(id: number, { priority, set }: Asked): TicketRecord {
  return { id, priority, set } as TicketRecord;
}
