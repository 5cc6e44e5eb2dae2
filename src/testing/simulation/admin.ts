// People who run the lab: they take boards out and bring them back, force and steal, load another configuration, restart
// the server, and kill agents.
import type { Caller } from '../../domain/commands.ts';
import { agentBoards, changeLab } from './lab.ts';
import type { World } from './world.ts';

const root: Caller = { user: 'root', admin: true };
const boardNames = agentBoards.flat();

/** Everything that people and fate do on their own account, as it comes. */
export function trouble(world: World): void {
  const { random, agenda, server } = world;
  const often = (meanMs: number, action: () => void): void => {
    agenda.in(random.wait(meanMs), () => {
      if (world.isCalm) return;
      action();
      often(meanMs, action);
    });
  };
  often(500, () => void world.spawn());
  often(15_000, () => forceRelease(world));
  often(5_000, () => releaseInVain(world));
  often(20_000, () => {
    const body = {
      caller: { user: 'dee', admin: false },
      board: random.pick(boardNames),
      newKey: 'mine',
      note: 'now',
    };
    server.post({ name: 'steal', body });
  });
  often(25_000, () => {
    const seconds = random.chance(0.5) ? { seconds: random.between(1, 60) } : {};
    const boards = [random.pick(boardNames)];
    const body = { caller: root, boards, action: 'drain', note: 'looking', ...seconds } as const;
    server.post({ name: 'service', body });
  });
  often(25_000, () => {
    const body = { caller: root, boards: boardNames, action: 'note', note: 'seen' } as const;
    server.post({ name: 'service', body });
  });
  often(5_000, () => resumeOne(world));
  often(40_000, () =>
    server.post({ name: 'configure', body: { lab: world.withFiles(changeLab(random)), by: 'root' } }),
  );
  often(60_000, () => server.post({ name: 'configure', body: { lab: world.lab, by: 'root' } }));
  often(30_000, () => {
    const agent = random.pick(world.agents);
    if (random.chance(0.4)) agent.restart();
    else agent.disconnect();
    agenda.in(random.wait(5_000), () => agent.connect());
  });
  often(120_000, () => leave(world));
  if (world.lab.lockFiles !== undefined) troubleByFiles(world, often);
  often(20_000, () => {
    const clients = [...world.clients];
    if (clients.length === 0) return;
    const { caller, key, target } = random.pick(clients).wish;
    server.post({ name: 'cancelWaiting', body: { caller, key, target } });
  });
}

function troubleByFiles(
  { random, agenda, lockFiles }: World,
  often: (meanMs: number, action: () => void) => void,
): void {
  often(700, () => lockFiles.visit());
  often(12_000, () => lockFiles.rob());
  often(60_000, () => {
    lockFiles.fails = true;
    agenda.in(random.wait(6_000), () => {
      lockFiles.fails = false;
    });
  });
}

/** Brings the lab to rest: everything works again, and whatever nobody looks after is let go. */
export function heal(world: World): void {
  world.isCalm = true;
  world.server.calm = true;
  const { agenda, server } = world;
  const tend = (): void => {
    server.post({ name: 'configure', body: { lab: world.lab, by: 'root' } });
    for (const agent of world.agents) agent.connect();
    for (const client of world.clients) client.reconnect();
    const { mirror } = server.checker;
    const kept = new Set([...world.clients].filter((client) => client.isAlive).map((client) => client.board));
    for (const lock of mirror.all('lock')) {
      if (lock.state === 'held' && kept.has(lock.board)) continue;
      if (lock.state === 'held' || isStuck(world, lock.board)) release(world, lock.board);
    }
    // Whoever waits for a job slot may wait for a lock that nobody will take any more.
    for (const { id, kind } of mirror.all('ticket')) {
      if (kind === 'slot')
        server.post({ name: 'withdraw', body: { caller: root, ticket: id, why: 'cancelled' } });
    }
    for (const board of mirror.all('board')) {
      if (board.health.state === 'broken' || board.service.state !== 'in') resume(world, board.name);
    }
    world.lockFiles.leave();
    agenda.in(5_000, tend);
  };
  // Agents that hang are killed once; jobs in flight are over soon.
  agenda.in(1_000, () => {
    for (const agent of world.agents) agent.restart();
    tend();
  });
}

function isStuck(world: World, board: string): boolean {
  const { mirror } = world.server.checker;
  return (
    mirror.get('board', board)?.health.state === 'broken' && mirror.get('lock', board)?.state === 'ending'
  );
}

function forceRelease(world: World): void {
  const locks = world.server.checker.mirror.all('lock').map((lock) => lock.board);
  if (locks.length > 0) release(world, world.random.pick(locks));
}

/** Somebody tries a board that is not theirs, or with a key that is not its. */
function releaseInVain(world: World): void {
  const { random, server } = world;
  const locks = server.checker.mirror.all('lock');
  if (locks.length === 0) return;
  const lock = random.pick(locks);
  const user = random.chance(0.5) ? lock.user : random.pick(['ana', 'bob', 'cyd']);
  const key = user === lock.user ? `not ${lock.key}` : lock.key;
  const body = { caller: { user, admin: false }, boards: [lock.board], key, force: false, note: '' };
  server.post({ name: 'release', body });
}

function release(world: World, board: string): void {
  const body = { caller: root, boards: [board], key: '', force: true, note: 'forgotten' };
  world.server.post({ name: 'release', body });
}

function resumeOne(world: World): void {
  const boards = world.server.checker.mirror.all('board');
  const out = boards.filter(
    (board) => !board.removed && (board.health.state === 'broken' || board.service.state !== 'in'),
  );
  if (out.length > 0) resume(world, world.random.pick(out).name);
}

function resume(world: World, board: string): void {
  world.server.post({ name: 'service', body: { caller: root, boards: [board], action: 'resume', note: '' } });
}

/** The server is asked to leave, and does so a while later. */
function leave(world: World): void {
  world.server.post({ name: 'drain', body: {} });
  world.agenda.in(world.random.wait(3_000), () => {
    if (world.server.isUp) world.server.crash();
  });
}
