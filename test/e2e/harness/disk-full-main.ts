// Run in a mount namespace of its own: node disk-full-main.ts SCENARIO. A lab whose server and agent keep their state on
// small disks of their own, which are full in the middle of things. Ends with 0 if all was as it should be, with 99 where
// such disks can't be had.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectTo } from '../../../src/cli/connect/connect.ts';
import { MqError } from '../../../src/protocol/errors.ts';
import { Lab } from './lab.ts';

const pageBytes = 4096;
const diskBytes = 6 * 1024 * 1024;

class SmallDisk {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes},mode=700`, 'none', folder]);
    if (mounted.status === 0) return;
    process.stderr.write(String(mounted.error ?? mounted.stderr));
    process.exit(99);
  }

  /** To the last page. */
  fill(): void {
    const file = openSync(join(this.folder, 'ballast'), 'a');
    try {
      while (true) writeSync(file, Buffer.alloc(pageBytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(join(this.folder, 'ballast'), { force: true });
  }
}

interface SmallLab {
  readonly lab: Lab;
  readonly ofServer: SmallDisk;
  readonly ofAgent: SmallDisk;
}

/** Asks until the disk refuses; what was answered before counts. */
async function lockUntilRefused({ lab }: SmallLab): Promise<{ keys: string[]; refusal: MqError }> {
  const client = await connectTo(`unix:${lab.socketPath}`);
  const keys: string[] = [];
  try {
    for (let number = 1; number <= 2_000; number += 1) {
      const key = `key-${number}-${'x'.repeat(900)}`;
      const wish = { target: 'held', kind: 'lock', key, note: 'x'.repeat(900) } as const;
      await client.request('submit', { requestId: client.newRequestId(), ...wish });
      keys.push(key);
    }
  } catch (error) {
    assert.ok(error instanceof MqError, String(error));
    return { keys, refusal: error };
  } finally {
    client.close();
  }
  return assert.fail('a full disk took everything');
}

async function serverFullInCommit(small: SmallLab): Promise<void> {
  const { lab, ofServer } = small;
  assert.equal((await lab.run(['sem', '-wait', 'held', '-k', 'first'])).code, 0);
  const clients = ['a', 'b', 'c'].map((key) => lab.mq(['sem', '-wait', 'held', '-k', key]));
  await lab.untilWaiting('a', 'b', 'c');
  ofServer.fill();
  const { refusal } = await lockUntilRefused(small);
  assert.equal(refusal.code, 'TRY_AGAIN', refusal.message);
  assert.match(refusal.message, /disk/);
  const refused = await lab.run(['lock', 'board', '--no-wait']);
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /disk/);
  const status = await lab.until('the lab tells of itself all the same', () => true);
  assert.equal(status.boards.find(({ board }) => board === 'held')?.lock?.key, 'first');
  assert.equal(status.boards.find(({ board }) => board === 'board')?.lock, undefined, 'nothing came of it');
  // Killed in the worst moment, it comes back with all that was answered, as soon as there is room.
  await lab.killServer();
  ofServer.makeRoom();
  await lab.startServer();
  await lab.untilWaiting('a', 'b', 'c');
  assert.match(await lab.holder('held'), /LOCKED .* first$/);
  assert.equal((await lab.run(['lock', 'board', '--no-wait'])).code, 0, 'it goes on');
  await lab.expect(['sem', '-signal', 'held', '-k', 'first'], { exit: 0, stdout: '' });
  const first = await Promise.race(clients.map(({ ended }) => ended));
  assert.equal(first.code, 0, 'the queue goes on too');
}

const lines = 5_000;
const talk = `i=0; while [ $i -lt ${lines} ]; do echo "line $i ${'.'.repeat(150)}"; i=$((i+1)); done; echo over`;
const talked = `${Array.from({ length: lines }, (_, line) => `line ${line} ${'.'.repeat(150)}\n`).join('')}over\n`;

async function serverFullInJob({ lab, ofServer }: SmallLab): Promise<void> {
  const gate = join(lab.folder, 'gate');
  const image = await lab.file('talks', `echo begin; until [ -f '${gate}' ]; do sleep 0.02; done; ${talk}`);
  const run = lab.mq(['run', '-s', 'board', '-c', 'over', '-d', '600', '-f', image]);
  await run.printed('begin');
  ofServer.fill();
  await lab.file('gate', '');
  await lab.server.printed('could not be stored', 'stderr');
  assert.equal(run.hasEnded, false, 'nobody says that the job has ended before its console is whole');
  // An image has no room either.
  const other = await lab.file('other', `echo ${'y'.repeat(200_000)}`);
  const upload = await lab.run(['run', 'other-board', other, '--until', 'y']);
  assert.equal(upload.code, 4, upload.stderr);
  assert.match(upload.stderr, /disk/);
  const images = join(lab.stateFolder, 'images');
  assert.deepEqual(
    readdirSync(images).filter((name) => name.startsWith('upload-')),
    [],
    'no half images',
  );
  ofServer.makeRoom();
  const { code, stdout } = await run.ended;
  assert.equal(code, 0, stdout.slice(-300));
  assert.ok(stdout.endsWith(`begin\n${talked}`), 'each byte is there, once');
  const again = await lab.run(['run', 'other-board', other, '--until', 'y']);
  assert.equal(again.code, 0, again.stderr);
}

async function agentFullInJob({ lab, ofAgent }: SmallLab): Promise<void> {
  const pid = await lab.agentPid();
  const gate = join(lab.folder, 'gate');
  const image = await lab.file(
    'talks',
    `echo begin; until [ -f '${gate}' ]; do sleep 0.02; done; ${talk}; cat`,
  );
  const run = lab.mq(['run', 'board', image, '--until', 'over', '--timeout', '10m']);
  await run.printed('begin');
  ofAgent.fill();
  await lab.file('gate', '');
  await lab.until('the board is off, though nobody can be told', ({ boards }) =>
    boards.some(({ board, state }) => board === 'board' && state !== 'free'),
  );
  // What can't be noted is not begun, and its end can't be told before it is on the disk.
  const other = await lab.file('other', 'echo yes');
  const next = lab.mq(['run', 'other-board', other, '--until', 'yes']);
  await next.printed('job', 'stderr');
  ofAgent.makeRoom();
  const { code, stderr } = await next.ended;
  const journal = await readFile(join(lab.folder, 'other-board.journal'), 'utf8').catch(() => '');
  if (journal.includes('start')) assert.equal(code, 0, 'there was room in time, and it ran');
  else {
    assert.equal(code, 3, stderr);
    assert.match(stderr, /space|ENOSPC|disk/i);
  }
  const ended = await run.ended;
  assert.equal(ended.code, 3, `a lab fault, and no success: ${ended.stderr}`);
  assert.match(ended.stderr, /console could not be kept/);
  await lab.untilQuiet();
  assert.equal(await lab.agentPid(), pid, 'the agent has lived through it');
  const again = await lab.run(['run', 'other-board', other, '--until', 'yes']);
  assert.equal(again.code, 0, again.stderr);
}

const scenarios: Readonly<Record<string, (small: SmallLab) => Promise<void>>> = {
  serverFullInCommit,
  serverFullInJob,
  agentFullInJob,
};

const scenario = scenarios[process.argv[2] ?? ''];
assert.ok(scenario, `there are ${Object.keys(scenarios).join(', ')}`);
const cleaners: (() => Promise<void>)[] = [];
try {
  const lab = await Lab.make({ after: (clean) => cleaners.push(clean) });
  const ofServer = new SmallDisk(lab.stateFolder);
  const ofAgent = new SmallDisk(join(lab.stateFolder, 'agent'));
  const boards = await Promise.all(
    ['held', 'board', 'other-board'].map(async (name) => [
      name,
      { machine: (await lab.scriptBoard(name)).machine },
    ]),
  );
  await lab.configure({ boards: Object.fromEntries(boards) });
  await lab.startServer();
  await scenario({ lab, ofServer, ofAgent });
  ofServer.makeRoom();
  ofAgent.makeRoom();
} finally {
  for (const clean of cleaners) await clean().catch(() => undefined);
}
process.exit(0);
