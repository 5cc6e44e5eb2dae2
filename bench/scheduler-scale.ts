// What one step of the scheduler costs in a small lab and in a very large one, both full and both with ten tickets for
// each board. The goal: at most three times as much. Several shapes, since each has a part of its own that could grow.

import type { LabDefinition, PoolDefinition, TargetSpec } from '../src/domain/records.ts';
import { boardOf, DomainLab, labOf, type Wish } from './lab/domain-lab.ts';
import { median } from './statistics.ts';

export interface ScaleFigures {
  readonly what: string;
  readonly few: { readonly boards: number; readonly tickets: number; readonly microsecondsPerStep: number };
  readonly many: { readonly boards: number; readonly tickets: number; readonly microsecondsPerStep: number };
  /** Median over the rounds of many ÷ few in the same round. Goal: at most 3. */
  readonly ratio: number;
}

interface Shape {
  readonly what: string;
  readonly lab: (boards: number) => LabDefinition;
  /** The wish of the ticket with this number, in a lab of so many boards. */
  readonly wish: (ticket: number, boards: number) => Wish;
}

const rounds = 7;
const ana = { user: 'ana', set: 'ana/' } as const;

const shapes: readonly Shape[] = [
  {
    what: 'one pool of all boards',
    lab: (boards) => labOf(boardsOf(boards), [poolOf('all', 0, boards, boards)]),
    wish: () => ({ ...ana, target: pool('all') }),
  },
  {
    what: 'one pool, a user a ten tickets, who take turns',
    lab: (boards) => labOf(boardsOf(boards), [poolOf('all', 0, boards, boards)]),
    wish: (ticket, boards) => ({ ...someUser(ticket, boards), target: pool('all') }),
  },
  {
    what: 'overlapping pools: each has 5 boards, each board is in 5',
    lab: windows,
    wish: (ticket, boards) => ({
      ...someUser(ticket, boards),
      target: pool(`pool-${scatter(ticket) % boards}`),
    }),
  },
  {
    what: 'overlapping pools: each has half the boards, each board is in 5',
    lab: halves,
    wish: (ticket, boards) => ({ ...someUser(ticket, boards), target: pool(`pool-${ticket % 10}`) }),
  },
  {
    what: 'boards by name, and one pool of all',
    lab: (boards) => labOf(boardsOf(boards), [poolOf('all', 0, boards, boards)]),
    wish: (ticket, boards) => ({
      ...someUser(ticket, boards),
      target: ticket % 2 === 0 ? pool('all') : { kind: 'board', name: `board-${scatter(ticket) % boards}` },
    }),
  },
  {
    what: 'boards by attribute: 17 selectors, each of a part of the boards',
    lab: (boards) => labOf(boardsOf(boards), []),
    wish: (ticket, boards) => ({ ...someUser(ticket, boards), target: selector(ticket) }),
  },
  {
    what: 'one to three boards a ticket (--count), one pool of all boards',
    lab: (boards) => labOf(boardsOf(boards), [poolOf('all', 0, boards, boards)]),
    wish: (ticket, boards) => ({ ...someUser(ticket, boards), target: countOf('all', 1 + (ticket % 3)) }),
  },
  {
    what: 'one to three boards a ticket, overlapping pools of 5 boards',
    lab: windows,
    wish: (ticket, boards) => ({
      ...someUser(ticket, boards),
      target: countOf(`pool-${scatter(ticket) % boards}`, 1 + (ticket % 3)),
    }),
  },
];

/** So many timed hand-overs in each round of each lab: the small and the large take turns. */
export function run(options: { handOvers: number; boards: readonly [number, number] }): ScaleFigures[] {
  return shapes.map((shape) => {
    const [few, many] = options.boards;
    const labs = [new FullLab(shape, few), new FullLab(shape, many)] as const;
    const times: [number, number][] = [];
    for (let round = 0; round <= rounds; round += 1) {
      const pair: [number, number] = [labs[0].time(options.handOvers), labs[1].time(options.handOvers)];
      if (round > 0) times.push(pair);
    }
    const asFigures = (at: 0 | 1) => ({
      boards: options.boards[at],
      tickets: labs[at].tickets,
      microsecondsPerStep: median(times.map((pair) => pair[at])),
    });
    return {
      what: shape.what,
      few: asFigures(0),
      many: asFigures(1),
      ratio: median(times.map(([small, large]) => large / small)),
    };
  });
}

/** All boards held, ten times as many tickets waiting; as many as are served come anew. */
class FullLab {
  readonly tickets: number;
  readonly #lab: DomainLab;
  readonly #wish: (ticket: number) => Wish;
  #count = 0;

  constructor(shape: Shape, boards: number) {
    this.#lab = new DomainLab(shape.lab(boards));
    this.#wish = (ticket) => shape.wish(ticket, boards);
    this.tickets = 10 * boards;
    while (this.#lab.waiting < this.tickets) this.#submit();
  }

  /** Microseconds of processor time a step, so that the neighbours' load counts little. */
  time(handOvers: number): number {
    const [steps, before] = [this.#lab.steps, process.threadCpuUsage()];
    for (let left = handOvers; left > 0; left -= 1) {
      this.#lab.changes = [];
      this.#lab.handOver();
      while (this.#lab.waiting < this.tickets) this.#submit();
    }
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / (this.#lab.steps - steps);
  }

  #submit(): void {
    this.#lab.submit(this.#wish(this.#count++));
  }
}

// ---- shapes ----

function boardsOf(count: number) {
  return Array.from({ length: count }, (_, at) => {
    return boardOf(`board-${at}`, { arch: `arch-${at % 2}`, soc: `soc-${at % 5}` });
  });
}

function poolOf(name: string, first: number, count: number, boards: number): PoolDefinition {
  const names = Array.from({ length: count }, (_, at) => `board-${(first + at) % boards}`);
  return { name, boards: names, spread: false };
}

/** Pool N has the boards from N on. */
function windows(boards: number): LabDefinition {
  const pools = Array.from({ length: boards }, (_, at) => poolOf(`pool-${at}`, at, 5, boards));
  return labOf(boardsOf(boards), pools);
}

/** Pool N of ten has half of the boards, from the tenth N on. */
function halves(boards: number): LabDefinition {
  const pools = Array.from({ length: 10 }, (_, at) =>
    poolOf(`pool-${at}`, (at * boards) / 10, boards / 2, boards),
  );
  return labOf(boardsOf(boards), pools);
}

function pool(name: string): { kind: 'pool'; name: string } {
  return { kind: 'pool', name };
}

function countOf(name: string, count: number): TargetSpec {
  return count === 1 ? pool(name) : { kind: 'several', needs: [{ target: pool(name), count }] };
}

function selector(ticket: number): TargetSpec {
  const attributes = [
    { arch: `arch-${ticket % 2}` },
    { soc: `soc-${ticket % 5}` },
    { arch: `arch-${ticket % 2}`, soc: `soc-${ticket % 5}` },
  ];
  return { kind: 'where', attributes: (attributes[ticket % 3] ?? {}) as Record<string, string> };
}

/** As many users as boards, so that each has ten tickets. */
function someUser(ticket: number, boards: number): { user: string; set: string } {
  const user = `user-${scatter(ticket) % boards}`;
  return { user, set: `${user}/` };
}

/** A number that follows no order, the same in each run. */
function scatter(number: number): number {
  return (Math.imul(number + 1, 2_654_435_761) >>> 7) ^ 0x55;
}
