// What befalls the lab: people who die, hang, lose their line or change their mind; servers and agents that are killed,
// stopped or cut off; a full disk, clocks that jump, outlets that break; and those who run the lab. And the peace after.

import { randomUUID } from 'node:crypto';
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { OperationName, RequestOf } from '../../protocol/operations.ts';
import { agentBoards, changeLab, fullLab } from '../simulation/lab.ts';
import { toConfig, users } from './lab.ts';
import type { Person } from './person.ts';
import type { World } from './world.ts';

const boardNames = agentBoards.flat();
const hour = 3_600_000;

/** What can go wrong, each by itself: a run has some of it, and a failure is shown with as little as will do. */
export const troubleKinds = [
  'people die',
  'people lose their line',
  'people are stopped',
  'people have a slow line',
  'people change their mind',
  'people force and steal',
  'admins drain',
  'admins reload',
  'server killed',
  'server stopped',
  'server leaves',
  'agent killed',
  'agent stopped',
  'agent loses its line',
  'agent has a slow line',
  'outlets break',
  'disk full',
  'writes fail',
  'clocks jump',
  'commits refused',
  'commits cut short',
  'commits unknown',
  'messages twice',
] as const;
export type TroubleKind = (typeof troubleKinds)[number];

type Often = (kind: TroubleKind | 'always', meanMs: number, action: () => void) => void;

/** Sets off everything that happens by itself, until the world is calm. */
export function trouble(world: World): void {
  const { host } = world;
  const { random } = host;
  const often: Often = (kind, meanMs, action) => {
    if (kind !== 'always' && !world.kinds.has(kind)) return;
    host.in(random.wait(meanMs), () => {
      if (world.isCalm) return;
      action();
      often(kind, meanMs, action);
    });
  };
  often('always', 200, () => {
    const person = world.spawn();
    if (person) plan(world, person);
  });
  troubleServer(world, often);
  troubleAgent(world, often);
  troubleHost(world, often);
  troublePeople(world, often);
  runLab(world, often);
}

/** What will go wrong with a client, if anything. */
function plan({ host, kinds }: World, person: Person): void {
  const { random } = host;
  const fates: readonly (readonly [TroubleKind, number, () => void])[] = [
    ['people die', 0.08, () => person.process.kill()],
    ['people lose their line', 0.14, () => person.cut()],
    ['people are stopped', 0.06, () => person.process.freeze(random.between(1_000, 40_000))],
    ['people have a slow line', 0.06, () => person.stall(random.between(100, 20_000))],
    ['people change their mind', 0.06, () => person.changeMind()],
  ];
  for (const [kind, probability, befall] of fates) {
    if (kinds.has(kind) && random.chance(probability)) return void host.in(random.wait(4_000), befall);
  }
}

function troubleServer({ host, server }: World, often: Often): void {
  const { random } = host;
  often('server killed', 40_000, () => server.process.kill());
  often('server stopped', 90_000, () => server.process.freeze(random.between(100, 25_000)));
  often('server leaves', 120_000, () => void server.leave().catch(() => undefined));
}

function troubleAgent({ host, agent }: World, often: Often): void {
  const { random } = host;
  often('agent killed', 45_000, () => agent.kill('it was killed'));
  often('agent loses its line', 60_000, () => agent.cut());
  often('agent has a slow line', 60_000, () => agent.stall(random.between(100, 10_000)));
  often('agent stopped', 90_000, () => agent.freeze(random.between(100, 30_000)));
}

function troubleHost({ host, metals, judge, kinds, badLuck }: World, often: Often): void {
  const { random } = host;
  often('disk full', 90_000, () => {
    host.isDiskFull = true;
    judge.note('the disk is full');
    host.in(random.wait(3_000), () => {
      host.isDiskFull = false;
    });
  });
  if (kinds.has('writes fail')) host.writeFailsOneIn = 300 / badLuck;
  often('clocks jump', 60_000, () => {
    const jumps = [-hour, hour, -26 * hour, 30 * hour, random.between(-5_000, 5_000)];
    host.wallOffsetMs += random.pick(jumps);
  });
  often('outlets break', 30_000, () => {
    const metal = random.pick([...metals.values()]);
    metal.isBroken = true;
    host.in(random.wait(5_000), () => {
      metal.isBroken = false;
    });
  });
}

function troublePeople(world: World, often: Often): void {
  const { host, judge } = world;
  const { random } = host;
  const lockOf = (): { board: string; user: string; key: string } | undefined => {
    const locks = judge.checker.mirror.all('lock');
    return locks.length === 0 ? undefined : random.pick(locks);
  };
  const kind = 'people force and steal';
  often(kind, 15_000, () => {
    const lock = lockOf();
    if (lock) ask(world, 'root', 'release', { target: lock.board, key: '', force: true });
  });
  often(kind, 6_000, () => {
    const lock = lockOf();
    if (lock) ask(world, random.pick(users), 'release', { target: lock.board, key: `not ${lock.key}` });
  });
  often(kind, 20_000, () => ask(world, 'dee', 'steal', { board: random.pick(boardNames), newKey: 'mine' }));
  often(kind, 20_000, () => ask(world, random.pick(users), 'cancel', { mine: true }));
}

function runLab(world: World, often: Often): void {
  const { random } = world.host;
  often('admins drain', 25_000, () => {
    const targets = [random.pick(boardNames)];
    ask(world, 'root', 'board', { targets, action: 'drain', seconds: random.between(1, 60) });
  });
  often('always', 6_000, () =>
    ask(world, 'root', 'board', { targets: [random.pick(boardNames)], action: 'resume' }),
  );
  often('admins reload', 40_000, () => {
    world.config = toConfig(changeLab(random));
    ask(world, 'root', 'reload', {});
  });
  often('admins reload', 60_000, () => {
    world.config = toConfig(fullLab);
    ask(world, 'root', 'reload', {});
  });
  often('always', 4_000 / world.badLuck, () =>
    ask(world, random.pick(users), random.pick(['status', 'locks', 'jobs', 'lab']), {}),
  );
}

/** A command of one request. */
function ask<N extends OperationName>(
  world: World,
  user: string,
  op: N,
  body: Omit<RequestOf<N>, 'requestId'>,
): void {
  const reads = ['status', 'locks', 'jobs', 'lab', 'reload'];
  world.enter(user).begin(async (client) => {
    const whole = reads.includes(op) ? body : { ...body, requestId: randomUUID() };
    await client.request(op, whole as RequestOf<N>);
  });
}

/** Brings the lab to rest: everything works again, and whatever nobody looks after is let go. */
export function heal(world: World): void {
  const { host, server, agent, metals, people } = world;
  world.isCalm = true;
  world.config = toConfig(fullLab);
  host.isDiskFull = false;
  host.writeFailsOneIn = 0;
  server.process.thaw();
  agent.thaw();
  for (const metal of metals.values()) metal.isBroken = false;
  for (const person of people) person.process.thaw();
  const tend = (): void => {
    world.enter('root').begin((client) => tidy(world, client));
    host.in(5_000, tend);
  };
  host.in(1_000, tend);
}

/** One round of somebody who looks after everything. */
async function tidy({ judge, people }: World, client: Client): Promise<void> {
  const { mirror } = judge.checker;
  const quietly = async <N extends OperationName>(
    op: N,
    body: Omit<RequestOf<N>, 'requestId'>,
  ): Promise<void> => {
    const whole = op === 'reload' ? body : { ...body, requestId: randomUUID() };
    await client.request(op, whole as RequestOf<N>).catch((error: unknown) => {
      if (!(error instanceof MqError)) throw error;
    });
  };
  await quietly('reload', {});
  for (const board of mirror.all('board')) {
    if (board.health.state === 'broken' || board.service.state !== 'in')
      await quietly('board', { targets: [board.name], action: 'resume' });
  }
  const kept = new Set([...people].flatMap((person) => [...person.boards]));
  for (const lock of mirror.all('lock')) {
    if (lock.state === 'held' && !kept.has(lock.board))
      await quietly('release', { target: lock.board, key: '', force: true });
  }
  // Whoever waits for a job slot may wait for a lock that nobody will take any more.
  for (const ticket of mirror.all('ticket')) {
    if (ticket.kind === 'slot') await quietly('cancel', { id: ticket.id });
  }
}
