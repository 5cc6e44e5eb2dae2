// Chooses how to compute all successors of a set of positions at once. A set is a row of 64-bit words ('longs').
// Four kinds of operation cover every link between positions:
// - entry: what follows the start, which is always active;
// - stay, advance: links to the position itself and to the next one, for the whole row at once;
// - move: links over any other distance; the masked row is shifted;
// - hub: if any source is active, all targets are.
// So a repeat of 500 copies costs a few shifts, not 500 tests. (Hyperscan's LimEx automaton does the same.)

import { OPERATIONS_MAX } from './limits.ts';
import { type Links, START } from './positions.ts';

/** A set of positions: its longs that are not 0, in order. */
export type Mask = readonly (readonly [long: number, bits: bigint])[];

export interface Move {
  readonly look: number;
  /** How far to shift; negative for a link back. */
  readonly distance: number;
  readonly sources: Mask;
}

export interface Hub {
  readonly look: number;
  readonly sources: Mask;
  readonly targets: Mask;
}

export interface WordOps {
  readonly entry: Mask;
  readonly stay: Mask;
  readonly advance: Mask;
  readonly moves: readonly Move[];
  readonly hubs: readonly Hub[];
}

/** Links with more pairs than this are hubs without a look at their distances. */
const PAIRS_MAX = 64;
/** A distance is worth a move from so many links on; the cheapest of these bounds is taken. */
const COUNTS_TO_TRY = [1, 2, 4, 8, 16, 32, Number.POSITIVE_INFINITY];

/** Returns nothing if no way is cheap enough: see OPERATIONS_MAX. */
export function wordOps(links: readonly Links[], longs: number): WordOps | undefined {
  const fromStart = links.filter((link) => link.look === 0 && link.sources[0] === START);
  const others = links.filter((link) => !fromStart.includes(link));
  const groups = groupByDistance(others);
  let best: { moves: Move[]; hubs: Hub[]; operations: number } | undefined;
  for (const countMin of COUNTS_TO_TRY) {
    const chosen = new Map(
      [...groups].filter(([, group]) => isFree(group) || group.positions.length >= countMin),
    );
    const moves = [...chosen.values()]
      .filter((group) => !isFree(group))
      .map(({ look, distance, positions }) => ({ look, distance, sources: maskOf(positions) }));
    const hubs = hubsOf(others.filter((link) => !isCovered(link, chosen)));
    const operations = operationsOf(longs, moves, hubs);
    if (best === undefined || operations < best.operations) best = { moves, hubs, operations };
  }
  if (best === undefined || best.operations > OPERATIONS_MAX) return undefined;
  return {
    entry: maskOf([START, ...fromStart.flatMap((link) => link.targets)]),
    stay: maskOf(groups.get(groupKey(0, 0))?.positions ?? []),
    advance: maskOf(groups.get(groupKey(0, 1))?.positions ?? []),
    moves: best.moves,
    hubs: best.hubs,
  };
}

/** Machine operations a byte, as counted in the code of step-code.ts. */
function operationsOf(longs: number, moves: readonly Move[], hubs: readonly Hub[]): number {
  const forMoves = moves.reduce((sum, move) => sum + 6 * move.sources.length, 0);
  const forHubs = hubs.reduce((sum, hub) => sum + 5 + 2 * hub.sources.length + 3 * hub.targets.length, 0);
  return 7 * longs + forMoves + forHubs;
}

/** All links over the same distance under the same conditions. */
interface Group {
  readonly look: number;
  readonly distance: number;
  /** Where the links begin. */
  readonly positions: number[];
}

function groupKey(look: number, distance: number): string {
  return `${look} ${distance}`;
}

/** Stay and advance are done in any case. */
function isFree({ look, distance }: Group): boolean {
  return look === 0 && (distance === 0 || distance === 1);
}

function groupByDistance(links: readonly Links[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const { look, sources, targets } of links) {
    if (sources.length * targets.length > PAIRS_MAX) continue;
    for (const source of sources) {
      for (const target of targets) {
        const distance = target - source;
        const key = groupKey(look, distance);
        const group = groups.get(key);
        if (group === undefined) groups.set(key, { look, distance, positions: [source] });
        else group.positions.push(source);
      }
    }
  }
  return groups;
}

function isCovered(link: Links, chosen: ReadonlyMap<string, Group>): boolean {
  if (link.sources.length * link.targets.length > PAIRS_MAX) return false;
  return link.sources.every((source) =>
    link.targets.every((target) => chosen.has(groupKey(link.look, target - source))),
  );
}

/** Hubs with the same sources become one, and then those with the same targets. */
function hubsOf(links: readonly Links[]): Hub[] {
  const bySources = mergeBy(
    links,
    (link) => `${link.look}:${link.sources}`,
    (one, other) => ({ ...one, targets: [...one.targets, ...other.targets] }),
  );
  const byTargets = mergeBy(
    bySources,
    (link) => `${link.look}:${link.targets}`,
    (one, other) => ({ ...one, sources: [...one.sources, ...other.sources] }),
  );
  return byTargets.map(({ look, sources, targets }) => ({
    look,
    sources: maskOf(sources),
    targets: maskOf(targets),
  }));
}

function mergeBy(
  links: readonly Links[],
  keyOf: (link: Links) => string,
  merge: (one: Links, other: Links) => Links,
): Links[] {
  const merged = new Map<string, Links>();
  for (const link of links) {
    const key = keyOf(link);
    const same = merged.get(key);
    merged.set(key, same === undefined ? link : merge(same, link));
  }
  return [...merged.values()];
}

export function maskOf(positions: readonly number[]): Mask {
  const longs = new Map<number, bigint>();
  for (const position of positions) {
    const long = position >> 6;
    longs.set(long, (longs.get(long) ?? 0n) | (1n << BigInt(position & 63)));
  }
  return [...longs].toSorted(([one], [other]) => one - other);
}
