// Lock files beside a running server: answers that wait for them, folders that fail, and servers that die on the way.
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { ChannelMessage } from '../../src/protocol/channel.ts';
import { MqError } from '../../src/protocol/errors.ts';
import type { LabConfig } from '../../src/protocol/lab.ts';
import type { FolderCall } from '../../src/server/lock-files/folder.ts';
import { FolderKeeper } from './folder-keeper.ts';
import { labConfig, newId, type RunningLab, startLab, TestClient } from './lab.ts';

interface Scene {
  readonly running: RunningLab;
  readonly keeper: FolderKeeper;
  readonly folder: string;
}

async function start(t: TestContext): Promise<Scene> {
  const folder = newFolder(t);
  const keeper = new FolderKeeper(folder);
  const running = await startLab(t, { config: { ...labConfig, lockFiles: folder }, openKeeper: keeper.open });
  await running.lab.lockFiles.firstLook();
  return { running, keeper, folder };
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'locks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As an old client does it. */
function lockByFile({ folder, keeper }: Scene, board: string, key = '0'): void {
  writeFileSync(join(folder, `${board}.lock`), '0', { flag: 'wx', mode: 0o444 });
  writeFileSync(join(folder, `${board}.key`), key);
  keeper.onChanged([board]);
}

function removeFiles({ folder, keeper }: Scene, board: string): void {
  rmSync(join(folder, `${board}.key`), { force: true });
  rmSync(join(folder, `${board}.lock`), { force: true });
  keeper.onChanged([board]);
}

function filesIn(folder: string): string[] {
  return [...readdirSync(folder), ...readdirSync(join(folder, '.mq'))].filter((name) => name !== '.mq');
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = performance.now() + 20_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < endAt, `not so in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const renamed = ['old-a', 'old-b'].flatMap((name) => [`${name}.key`, `${name}.lock`, `${name}.pin`]).join();

const isOf = (ticket: number, state: string) => (message: ChannelMessage) =>
  'event' in message &&
  message.event === 'ticket' &&
  message.view.ticket === ticket &&
  message.view.state === state;

/** Calls of one kind wait until they are let go. */
function hold(keeper: FolderKeeper, what: FolderCall['call']): { reached: Promise<void>; letGo: () => void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  keeper.fate = async ({ call }): Promise<'done'> => {
    if (call !== what) return 'done';
    reached.resolve();
    await gate.promise;
    return 'done';
  };
  return { reached: reached.promise, letGo: gate.resolve };
}

/** The server dies at this call; the next one has a keeper of its own. */
async function dieAt(
  scene: Scene,
  call: FolderCall['call'],
  how: 'before' | 'behind',
  act: () => unknown,
): Promise<Scene> {
  const { running, keeper, folder } = scene;
  const died = Promise.withResolvers<void>();
  keeper.fate = (one) => {
    if (one.call !== call) return 'done';
    setImmediate(died.resolve);
    return `dies ${how}`;
  };
  act();
  await died.promise;
  const next = new FolderKeeper(folder);
  const restarted = await running.restart({ openKeeper: next.open });
  return { running: restarted, keeper: next, folder };
}

/** Confirms each offer that is told: the first may have run out, since time runs fast in a server's first moment. */
async function confirmUntilHeld(client: TestClient, ticket: number): Promise<void> {
  const tried = new Set<string>();
  const tokenOf = (message: ChannelMessage) => (message as { view: { token: string } }).view.token;
  const isNew = (message: ChannelMessage) => isOf(ticket, 'offered')(message) && !tried.has(tokenOf(message));
  for (let state = ''; state !== 'held'; ) {
    const token = tokenOf(await client.event(isNew));
    tried.add(token);
    state = (await client.confirm(ticket, token)).view.state;
  }
}

// Most of each is spent on the server's coming and going.
describe('lock files', { concurrency: 4 }, () => {
  test('a submit is answered when the lock file is made, and everybody else is served meanwhile', async (t) => {
    const { running, keeper, folder } = await start(t);
    const { lab } = running;
    const [ana, bob] = [new TestClient(lab, 'ana'), new TestClient(lab, 'bob')];
    const { reached, letGo } = hold(keeper, 'make');
    let answered = false;
    const lock = ana.lock('a').finally(() => {
      answered = true;
    });
    await reached;
    const { queue } = await bob.call('status', {});
    assert.deepEqual(
      queue[0]?.reasons.map(({ kind }) => kind),
      ['lock-file'],
    );
    assert.equal((await bob.lock('a')).view.state, 'waiting');
    assert.equal(answered, false);
    letGo();
    const { ticket, view } = await lock;
    assert.equal(view.state, 'offered');
    // Told by the answer alone.
    assert.deepEqual(ana.messages, []);
    assert.ok(view.state === 'offered' && (await ana.confirm(ticket, view.token)).view.state === 'held');
    assert.deepEqual(filesIn(folder).sort(), ['a.key', 'a.lock', 'a.pin']);
  });

  test('a submit that is repeated while its file is made is answered once it is', async (t) => {
    const { running, keeper } = await start(t);
    const ana = new TestClient(running.lab, 'ana');
    const { reached, letGo } = hold(keeper, 'make');
    const body = { requestId: newId(), target: 'a', kind: 'lock', key: '0' } as const;
    const first = ana.call('submit', body);
    await reached;
    const second = ana.call('submit', body, true);
    letGo();
    const answers = await Promise.all([first, second]);
    assert.deepEqual(
      answers.map(({ view }) => view.state),
      ['offered', 'offered'],
    );
    assert.deepEqual((await ana.call('submit', body, true)).view, answers[0]?.view);
  });

  test('where an old client was quicker the answer says who has the board, and the board comes when it goes', async (t) => {
    const scene = await start(t);
    const { keeper, running } = scene;
    const ana = new TestClient(running.lab, 'ana');
    const { reached, letGo } = hold(keeper, 'make');
    const lock = ana.lock('a');
    await reached;
    lockByFile(scene, 'a', 'their key');
    letGo();
    const { ticket, view, members } = await lock;
    assert.equal(view.state, 'waiting');
    assert.deepEqual(
      members.map(({ board, lock }) => [board, lock?.key, lock?.origin]),
      [['a', 'their key', 'file']],
    );
    removeFiles(scene, 'a');
    await ana.event(isOf(ticket, 'offered'));
  });

  test('now or never means never where an old client was quicker, of a pool the next board is taken', async (t) => {
    const scene = await start(t);
    const { keeper, running } = scene;
    const ana = new TestClient(running.lab, 'ana');
    const quicker = (...boards: string[]) => {
      keeper.fate = (call) => {
        if (
          call.call === 'make' &&
          boards.includes(call.name) &&
          !existsSync(join(scene.folder, `${call.name}.lock`))
        )
          lockByFile(scene, call.name);
        return 'done';
      };
    };
    quicker('a', 'b');
    const error = await ana.lock('p', { waitSeconds: 0 }).catch((error: unknown) => error);
    assert.ok(error instanceof MqError && error.code === 'NOT_GRANTED_IN_TIME', String(error));
    const members = error.details.members as { board: string; lock?: { origin: string } }[];
    assert.deepEqual(
      members.map(({ board, lock }) => [board, lock?.origin]),
      [
        ['a', 'file'],
        ['b', 'file'],
      ],
    );
    removeFiles(scene, 'a');
    removeFiles(scene, 'b');
    await until('both are free', async () => (await ana.call('locks', {})).members.length === 0);
    quicker('a');
    const { view, members: seen } = await ana.lock('p', { waitSeconds: 0 });
    assert.equal(view.state === 'offered' && view.board, 'b');
    assert.deepEqual(
      seen.map(({ board, lock }) => [board, lock?.origin]),
      [
        ['a', 'file'],
        ['b', undefined],
      ],
    );
  });

  test('a folder that fails keeps boards from everybody, says why, and goes on by itself', async (t) => {
    const { running, keeper } = await start(t);
    const ana = new TestClient(running.lab, 'ana');
    keeper.fate = ({ call }) => (call === 'make' ? 'fails' : 'done');
    const { ticket, view } = await ana.lock('a');
    assert.equal(view.state, 'waiting');
    const { boards, queue } = await ana.call('status', {});
    assert.match(boards[0]?.lockFileNote ?? '', /ENOSPC/);
    assert.deepEqual([boards[0]?.state, queue[0]?.reasons[0]?.kind], ['no-lock-file', 'lock-file']);
    keeper.fate = () => 'done';
    await ana.event(isOf(ticket, 'offered'));
    keeper.fate = () => 'fails';
    await until('the whole folder fails', async () => {
      const { boards } = await ana.call('status', {});
      return boards.every(({ lockFileNote }) => lockFileNote !== undefined);
    });
  });

  test('keys say the holder where a file can not be given to its holder', async (t) => {
    const { running, folder } = await start(t);
    const ana = new TestClient(running.lab, 'ana');
    await ana.lock('a', { key: 'k' });
    await ana.lock('b', { holdSeconds: 60 });
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    assert.deepEqual(
      [read('a.key'), read('b.key'), read('a.lock'), read('b.lock')],
      ['ana:k', 'ana', '0', '60'],
    );
  });

  for (const how of ['before', 'behind'] as const) {
    test(`a server that dies ${how} a lock file is made offers the board when it is back`, async (t) => {
      const before = await start(t);
      const ana = new TestClient(before.running.lab, 'ana');
      const scene = await dieAt(before, 'make', how, () => void ana.lock('a').catch(() => undefined));
      const { lab } = scene.running;
      const ticket = await lab.core.read((state) => [...state.tickets.keys()][0] ?? 0);
      const back = new TestClient(lab, 'ana');
      await back.call('attach', { ticket });
      await confirmUntilHeld(back, ticket);
      assert.deepEqual(filesIn(scene.folder).sort(), ['a.key', 'a.lock', 'a.pin']);
    });

    test(`a server that dies ${how} a lock file of ours is removed removes it when it is back`, async (t) => {
      const before = await start(t);
      const ana = new TestClient(before.running.lab, 'ana');
      const { ticket, view } = await ana.lock('a');
      assert.ok(view.state === 'offered');
      await ana.confirm(ticket, view.token);
      const release = { requestId: newId(), target: 'a', key: '0' };
      const scene = await dieAt(before, 'drop', how, () => void ana.call('release', release));
      await until('nothing of ours is left', () => filesIn(scene.folder).length === 0);
    });

    test(`a server that dies ${how} a lock file of another is removed removes it when it is back, and its lock`, async (t) => {
      const before = await start(t);
      const bob = new TestClient(before.running.lab, 'bob');
      lockByFile(before, 'a');
      await until('it is seen', async () => (await bob.call('locks', {})).members.length === 1);
      const release = { requestId: newId(), target: 'a', key: '0', force: true };
      const scene = await dieAt(before, 'evict', how, () => void bob.call('release', release));
      const back = new TestClient(scene.running.lab, 'bob');
      await until('it is free', async () => (await back.call('locks', {})).members.length === 0);
      assert.deepEqual(filesIn(scene.folder), []);
    });
  }

  test('while no server runs, old clients come and go: a new one knows their locks from its own', async (t) => {
    const before = await start(t);
    const ana = new TestClient(before.running.lab, 'ana');
    for (const board of ['a', 'b']) {
      const { ticket, view } = await ana.lock(board);
      assert.ok(view.state === 'offered');
      await ana.confirm(ticket, view.token);
    }
    const { folder } = before;
    const keeper = new FolderKeeper(folder);
    await before.running.lab.stop();
    removeFiles({ ...before, keeper }, 'b');
    lockByFile({ ...before, keeper }, 'b', 'stolen');
    const { lab } = await before.running.restart({ openKeeper: keeper.open });
    const bob = new TestClient(lab, 'bob');
    await until('theirs is seen', async () => {
      const { members } = await bob.call('locks', {});
      return members.map(({ lock }) => lock?.key).join() === '0,stolen';
    });
    assert.deepEqual(filesIn(folder).sort(), ['a.key', 'a.lock', 'a.pin', 'b.key', 'b.lock']);
  });

  test('another folder is taken with the configuration, and what was ours in the old one goes', async (t) => {
    const scene = await start(t);
    const { running, folder } = scene;
    const ana = new TestClient(running.lab, 'ana');
    const { ticket, view } = await ana.lock('a');
    assert.ok(view.state === 'offered');
    await ana.confirm(ticket, view.token);
    lockByFile(scene, 'b');
    await until('theirs is seen', async () => (await ana.call('locks', {})).members.length === 2);
    const other = newFolder(t);
    mkdirSync(join(other, '.mq'));
    const next = new FolderKeeper(other);
    const { lab } = await running.restart({
      config: { ...labConfig, lockFiles: other },
      openKeeper: (at, onChanged) =>
        at === other ? next.open(at, onChanged) : new FolderKeeper(folder).open(at, onChanged),
    });
    await until('it is in the new one', () => existsSync(join(other, 'a.lock')));
    await until('only theirs is in the old one', () => filesIn(folder).sort().join() === 'b.key,b.lock');
    const back = new TestClient(lab, 'ana');
    const { members } = await back.call('locks', {});
    assert.deepEqual(
      members.map(({ board }) => board),
      ['a'],
    );
  });

  test('a reload takes lock files up and gives them up again, and locks stay', async (t) => {
    const folder = newFolder(t);
    let config: LabConfig = labConfig;
    const { lab } = await startLab(t, {
      loadConfig: async () => ({ ok: true, config, warnings: [] }),
      openKeeper: (at, onChanged) => new FolderKeeper(at).open(at, onChanged),
    });
    const root = new TestClient(lab, 'root');
    const take = async (board: string) => {
      const { ticket, view } = await root.lock(board);
      assert.ok(view.state === 'offered');
      await root.confirm(ticket, view.token);
    };
    await take('a');
    config = { ...labConfig, lockFiles: folder };
    assert.deepEqual((await root.call('reload', {})).settings, ['lock_files']);
    await until('it has a file', () => existsSync(join(folder, 'a.key')));
    await take('b');
    assert.ok(existsSync(join(folder, 'b.lock')));
    config = {
      ...config,
      boards: labConfig.boards.map((board) => ({ ...board, lockFile: `old-${board.name}` })),
    };
    await root.call('reload', {});
    await until('the files have other names', () => filesIn(folder).sort().join() === renamed);
    config = labConfig;
    await root.call('reload', {});
    await until('no file is left', () => filesIn(folder).length === 0);
    assert.equal((await root.call('locks', {})).members.length, 2);
  });

  test('a board that left the lab while no server ran leaves no lock file of ours', async (t) => {
    const before = await start(t);
    const ana = new TestClient(before.running.lab, 'ana');
    const { ticket, view } = await ana.lock('b');
    assert.ok(view.state === 'offered');
    await ana.confirm(ticket, view.token);
    const [a] = labConfig.boards;
    assert.ok(a);
    const config = { ...labConfig, boards: [a], pools: [], lockFiles: before.folder };
    const keeper = new FolderKeeper(before.folder);
    const { lab } = await before.running.restart({ config, openKeeper: keeper.open });
    const back = new TestClient(lab, 'ana');
    assert.ok(existsSync(join(before.folder, 'b.lock')), 'it is held still');
    const { state } = await lab.core.read((state) => state.locks.get('b') ?? { state: 'none' });
    assert.equal(state, 'held');
    await lab.core.run({
      name: 'release',
      body: { caller: back.caller, boards: ['b'], key: '0', force: false, note: '' },
    });
    await until('it is gone', () => filesIn(before.folder).length === 0);
  });
});
