// The server gives the agent other boards while it works.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { machineOf, start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };
const boardsOf = (...boards: [name: string, machine: string][]) => ({
  type: 'boards' as const,
  boards: boards.map(([name, machine]) => ({ name, machine: machineOf(machine) })),
  logBytesMax: 1_000_000,
});

test('a board that comes is ready and takes jobs; one that goes takes none', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  server.send(boardsOf(['pc2', 'pc2']));
  await server.settled();
  assert.deepEqual(server.all('boards').at(-1), {
    type: 'boards',
    ready: ['pc2'],
    failed: [],
    abilities: [],
  });
  await lab.run(server, { job: 2, board: 'pc2', token: '1.2' });
  server.send(start({ job: 3, token: '1.3' }));
  const { result } = await server.ended(3);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /does not drive this board/);
});

test('a job that runs keeps its driver to its end; the next action has the new one', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  await lab.run(server);
  server.send(boardsOf(['pc1', 'other']));
  await server.settled();
  assert.deepEqual(lab.board('other').events, []);
  server.send({ type: 'cancel', job: 1, token: '1.1', why: 'enough' });
  await server.ended(1);
  assert.deepEqual(lab.board('other').events, []);
  assert.ok(lab.board().events.includes('power off'));
  server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
  await server.message('powered-off');
  assert.deepEqual(lab.board('other').events, ['power off', 'is off']);
});

test(
  'a power off that waits for its turn is done as the board was when it was asked for',
  options,
  async (t) => {
    const lab = await TestLab.open(t);
    const server = await lab.connect();
    lab.board().powerOffs = 'held';
    server.send({ type: 'power-off', board: 'pc1', token: '1.1' });
    await lab.board().sees('power off');
    server.send({ type: 'power-off', board: 'pc1', token: '1.2' });
    server.send(boardsOf(['pc1', 'other']));
    await server.settled();
    lab.board().powerOffs = 'works';
    lab.board().letGo();
    await server.message('powered-off', ({ token }) => token === '1.2');
    assert.deepEqual(lab.board('other').events, []);
  },
);

test(
  'a board whose new machine can not be driven is told, with why, and is back with one that can',
  options,
  async (t) => {
    const lab = await TestLab.open(t, {
      drivers: (machine) => {
        if (machine.driver !== 'script') throw new Error('no such driver');
        return lab.board(machine.path.slice(1)).driver;
      },
    });
    const server = await lab.connect();
    const broken = { name: 'pc1', machine: { driver: 'v86' as const, memoryMb: 32 } };
    server.send({ type: 'boards', boards: [broken], logBytesMax: 1_000_000 });
    await server.settled();
    assert.deepEqual(server.all('boards').at(-1)?.failed, [{ board: 'pc1', why: 'no such driver' }]);
    server.send(boardsOf(['pc1', 'pc1']));
    await server.settled();
    assert.deepEqual(server.all('boards').at(-1), {
      type: 'boards',
      ready: ['pc1'],
      failed: [],
      abilities: [],
    });
  },
);

test('before the welcome there are no boards to change', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.dial({ staysSilent: true });
  server.send(boardsOf(['pc1', 'pc1']));
  await server.settled();
  assert.deepEqual(server.all('boards'), []);
});
