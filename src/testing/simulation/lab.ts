// The lab that simulations run on: small, so that everybody meets, with pools that overlap, that are equal in another
// order, that spread, and that have one board; and how its definition changes now and then.
import type { BoardDefinition, LabDefinition, Need, SingleTarget, TargetSpec } from '../../domain/records.ts';
import type { Random } from './random.ts';

/** Where old clients lock boards by files, in labs that have such. */
export const lockFolder = '/locks';

/** Boards by the agent that drives them. */
export const agentBoards: readonly (readonly string[])[] = [
  ['b0', 'b1', 'b2'],
  ['b3', 'b4'],
  ['b5', 'b6'],
];

const boards: readonly BoardDefinition[] = [
  defineBoard('b0', 'imx6', {}),
  defineBoard('b1', 'imx6', { files: { min: 1, max: 2 }, force: 'admin' }),
  defineBoard('b2', 'imx6', { aliases: ['b2-new'], betweenHolders: 'leave' }),
  defineBoard('b3', 'imx8', { takesLinux: true }),
  defineBoard('b4', 'imx8', { takesLinux: true, takesDtb: true }),
  defineBoard('b5', 'x86', { holdMaxSeconds: 40 }),
  defineBoard('b6', 'x86', { betweenHolders: 'leave', idleMaxSeconds: 30, files: { min: 1, max: 2 } }),
];

export const fullLab: LabDefinition = {
  boards,
  pools: [
    { name: 'imx6', boards: ['b0', 'b1', 'b2'], spread: false },
    { name: 'imx6-last-first', boards: ['b2', 'b1', 'b0'], spread: false },
    { name: 'mixed', boards: ['b2', 'b3', 'b4'], spread: false },
    { name: 'rested', boards: ['b0', 'b3', 'b5'], spread: true },
    { name: 'x86', boards: ['b6', 'b5'], spread: false },
    { name: 'one', boards: ['b3'], spread: false },
  ],
  discipline: 'turns',
  gatherSeconds: 20,
  limits: { ticketsPerUser: 12, queueLength: 25, adHocQueuesPerBoard: 4, boardsPerTicket: 4 },
};

/** Another definition: boards and pools taken out, another discipline. */
export function changeLab(random: Random): LabDefinition {
  const gone = new Set(random.chance(0.7) ? [random.pick(boards).name, random.pick(boards).name] : []);
  const left = fullLab.boards
    .filter((board) => !gone.has(board.name))
    .map((board) => otherRest(board, random));
  const pools = fullLab.pools
    .filter(() => random.chance(0.9))
    .map((pool) => ({
      ...pool,
      boards: random.chance(0.2) ? random.shuffle(pool.boards) : pool.boards,
      spread: random.chance(0.1) ? !pool.spread : pool.spread,
    }))
    .map((pool) => ({ ...pool, boards: pool.boards.filter((board) => !gone.has(board)) }));
  const changed = {
    ...fullLab,
    boards: left,
    pools,
    discipline: random.chance(0.2) ? 'fifo' : 'turns',
  } as const;
  return random.chance(0.4) ? rename(changed, 'b2', 'b2-new') : changed;
}

/** The board of this name gets another, under which it was not known before. */
function rename(lab: LabDefinition, from: string, to: string): LabDefinition {
  const present = (name: string): string => (name === from ? to : name);
  return {
    ...lab,
    boards: lab.boards.map((board) =>
      board.name === from ? { ...board, name: to, aliases: [from], lockFile: from } : board,
    ),
    pools: lab.pools.map((pool) => ({ ...pool, boards: pool.boards.map(present) })),
  };
}

/** The board itself, whatever it is called. */
export function boardOf(name: string): string {
  return name.endsWith('-new') ? name.slice(0, -'-new'.length) : name;
}

/** Now and then a board is left as it is no longer, or from now on. */
function otherRest(board: BoardDefinition, random: Random): BoardDefinition {
  if (random.chance(0.8)) return board;
  const { betweenHolders, ...rest } = board;
  return betweenHolders === undefined ? { ...rest, betweenHolders: 'leave' } : rest;
}

export function pickTarget(random: Random): SingleTarget {
  const dice = random.next();
  if (dice < 0.3) return { kind: 'board', name: random.pick(boards).name };
  if (dice < 0.75) return { kind: 'pool', name: random.pick(fullLab.pools).name };
  if (dice < 0.85) return { kind: 'where', attributes: { soc: random.pick(['imx6', 'imx8', 'x86']) } };
  const names = random.shuffle(boards.map((board) => board.name));
  return { kind: 'boards', names: names.slice(0, random.between(2, 3)) };
}

export function pickSeveral(random: Random): TargetSpec {
  if (random.chance(0.4)) return { kind: 'several', needs: [needOf(random, random.between(2, 3))] };
  return { kind: 'several', needs: [needOf(random, 1), needOf(random, random.between(1, 2))] };
}

function needOf(random: Random, count: number): Need {
  return { target: pickTarget(random), count };
}

function defineBoard(name: string, soc: string, more: Partial<BoardDefinition>): BoardDefinition {
  return {
    name,
    aliases: [],
    attributes: { soc },
    files: { min: 1, max: 1 },
    linuxFiles: { min: 1, max: 2 },
    takesLinux: false,
    takesDtb: false,
    ...more,
  };
}
