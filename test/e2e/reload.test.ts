// A configuration that is loaded again while the lab works: by `mq reload` and by SIGHUP, with the real server and agent.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, afterEach, test } from 'node:test';
import { Lab, type LabFile } from './harness/lab.ts';
import { me, nobody, noOtherUsers } from './harness/users.ts';

const lab = await Lab.make({ after });
const [a, b] = [await lab.scriptBoard('a'), await lab.scriptBoard('b')];
const image = await lab.file('image', 'echo says hello');
/** Runs until the test makes the file. */
const untilTold = (name: string) =>
  lab.file(
    `until-${name}`,
    `echo runs; while [ ! -e ${lab.folder}/${name} ]; do sleep 0.02; done; echo says hello`,
  );
const machine = { a: { machine: a.machine }, b: { machine: b.machine } };
const usual: LabFile = { boards: machine, pools: { both: ['a', 'b'] } };
const quiet = { exit: 0, stdout: '' };

await lab.configure(usual);
await lab.startServer();

afterEach(async () => {
  await lab.configure(usual);
  await lab.reset();
  await lab.run(['reload']);
  await lab.until('both boards are free', ({ boards }) =>
    ['a', 'b'].every((name) => boards.some(({ board, state }) => board === name && state === 'free')),
  );
});

/** Loads the file and checks what is said of it. */
async function reload(file: LabFile, stdout: string): Promise<void> {
  await lab.configure(file);
  await lab.expect(['reload'], { exit: 0, stdout });
}

const runOn = (board: string) => ['run', '-s', board, '-c', 'never', '-f', image];

test('a board that comes is driven, and goes to the ticket that waits for its pool', async () => {
  await reload(
    { boards: { a: machine.a }, pools: { both: ['a'] } },
    'boards removed: b\npools changed: both\n',
  );
  await lab.expect(['lock', 'a', '--key', 'h'], { exit: 0, stdout: 'a\n' });
  const waiting = lab.mq(['lock', 'both', '--key', 'w']);
  await lab.untilWaiting('w');
  await reload(usual, 'boards added: b\npools changed: both\n');
  const { code, stdout } = await waiting.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'b\n' });
  assert.match(
    (await lab.run(['run', '-n', '-s', 'b', '-k', 'w', '-c', 'x', '-f', image])).stdout,
    /says hello/,
  );
});

test('mq with that is killed gives back what is left, though a board of its has left the lab', async () => {
  const mq = lab.mq(['with', 'a', 'b', '--', 'sh', '-c', 'echo go; sleep 600']);
  await mq.printed('go');
  await reload(
    { boards: { b: machine.b }, pools: { both: ['b'] } },
    'boards removed: a (still in use, goes after that)\npools changed: both\n',
  );
  await lab.expect(['unlock', 'a', '--force'], quiet);
  await lab.until('a is gone', ({ boards }) => boards.every(({ board }) => board !== 'a'));
  mq.kill('SIGKILL');
  await lab.until('b is free', ({ boards }) =>
    boards.some(({ board, state }) => board === 'b' && state === 'free'),
  );
});

test('the same file changes nothing', async () => {
  await reload(usual, 'nothing has changed\n');
});

test('a board that goes is finished by its job and its holder first, also through a restart, and then is gone', async () => {
  await lab.expect(['lock', 'b', '--key', 'k'], { exit: 0, stdout: 'b\n' });
  const path = await untilTold('go-on');
  const run = lab.mq(['run', '-n', '-s', 'b', '-k', 'k', '-c', 'x', '-f', path]);
  await run.printed('runs');
  const said = 'boards removed: b (still in use, goes after that)\npools changed: both\n';
  await reload({ boards: { a: machine.a }, pools: { both: ['a'] } }, said);
  const refused = await lab.run(['lock', 'b', '--key', 'other']);
  assert.equal(refused.code, 1);
  await lab.killServer();
  await lab.startServer();
  await lab.file('go-on', '');
  assert.match((await run.ended).stdout, /says hello/);
  assert.equal(await lab.holder('b'), `b LOCKED ${me.name} k`);
  assert.match((await lab.run(['status'])).stdout, /^b +held .*no longer in the configuration/m);
  assert.match((await lab.run(['sem', 'dumpall'])).stdout, /^b LOCKED/m);
  await lab.expect(['sem', '-signal', 'b', '-k', 'k'], quiet);
  await lab.until('b is gone', ({ boards }) => boards.every(({ board }) => board !== 'b'));
  assert.equal((await lab.run(['sem', '-info', 'b'])).code, 1);
});

test('a held board that goes is powered off as it was when its holder is done, after a restart too', async () => {
  await lab.expect(['lock', 'b', '--key', 'k'], { exit: 0, stdout: 'b\n' });
  // Under a lock of one's own, -a leaves the board on.
  const left = await lab.run(['run', '-n', '-s', 'b', '-k', 'k', '-a', '-c', 'hello', '-f', image]);
  assert.equal(left.code, 0, left.stderr);
  await lab.configure({ boards: { a: machine.a } });
  assert.equal((await lab.run(['reload'])).code, 0);
  await lab.killServer();
  await lab.startServer();
  const offs = async () => (await b.journal()).filter((line) => line === 'off').length;
  const before = await offs();
  await lab.expect(['sem', '-signal', 'b', '-k', 'k'], quiet);
  assert.equal(await offs(), before + 1);
  await lab.until('b is gone', ({ boards }) => boards.every(({ board }) => board !== 'b'));
});

test('a board that goes while its job runs is made safe by the next agent, should this one be killed', async () => {
  const path = await untilTold('go-off');
  const run = lab.mq(['run', '-s', 'b', '-c', 'x', '-f', path]);
  await run.printed('runs');
  await lab.configure({ boards: { a: machine.a } });
  assert.equal((await lab.run(['reload'])).code, 0);
  process.kill(await lab.agentPid(), 'SIGKILL');
  await lab.until('b is gone', ({ boards }) => boards.every(({ board }) => board !== 'b'));
  assert.equal((await b.journal()).at(-1), 'off');
  assert.notEqual((await run.ended).code, 0);
});

test('a board gets another name: whoever waits for it follows, and nobody has it twice', async () => {
  await lab.expect(['lock', 'b', '--key', 'k'], { exit: 0, stdout: 'b\n' });
  const waiting = lab.mq(['lock', 'b', '--key', 'w']);
  await lab.untilWaiting('w');
  const renamed = { a: machine.a, bee: { ...machine.b, aliases: ['b'] } };
  await reload(
    { boards: renamed, pools: { both: ['a', 'bee'] } },
    'boards renamed: b (still in use, goes after that) → bee\npools changed: both\n',
  );
  await lab.until('bee is with the agent', ({ boards }) =>
    boards.some(({ board, agentPresent }) => board === 'bee' && agentPresent),
  );
  assert.match((await lab.run(['status'])).stdout, /^bee +out .*was b, which is still in use/m);
  assert.equal((await lab.run(['lock', 'bee', '--no-wait', '--key', 'x'])).code, 2);
  assert.equal(waiting.hasEnded, false);
  await lab.expect(['unlock', 'bee', '--key', 'k'], quiet);
  const { code, stdout } = await waiting.ended;
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'bee\n' });
  assert.equal(await lab.holder('b'), `b LOCKED ${me.name} w`);
  await lab.expect(['unlock', 'b', '--key', 'w'], quiet);
});

test('a broken file says where, and changes nothing', async () => {
  await writeFile(lab.configPath, 'lab: Test\nboards:\n  a: { machin: {} }\n');
  const { code, stdout, stderr } = await lab.run(['reload']);
  assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  assert.match(stderr, /lab\.yaml:3:8: unknown key 'machin' in board 'a'\. Did you mean 'machine'\?/);
  assert.match(stderr, /nothing was changed/);
  assert.deepEqual((await lab.run(['systems', 'simple'])).stdout, 'a\nb\n');
  await lab.expect(['lock', 'both', '--key', 'k'], { exit: 0, stdout: 'a\n' });
});

test('SIGHUP does the same, with a broken file too, and the server lives on', async () => {
  await writeFile(lab.configPath, 'lab: Test\nboards:\n  a: { hup: 1 }\n');
  lab.server.kill('SIGHUP');
  await lab.server.printed(`"line":3,"column":8,"message":"unknown key 'hup'`, 'stderr');
  await lab.configure({ boards: { a: machine.a, c: machine.b } });
  lab.server.kill('SIGHUP');
  await lab.until('c is free', ({ boards }) =>
    boards.some(({ board, state }) => board === 'c' && state === 'free'),
  );
  assert.deepEqual((await lab.run(['systems', 'simple'])).stdout, 'a\nc\n');
  assert.equal(lab.server.hasEnded, false);
});

test('other settings of a board are for its next job, not for the one that runs', async () => {
  const path = await untilTold('finish');
  const run = lab.mq(['run', '-s', 'a', '-c', 'x', '-f', path]);
  await run.printed('runs');
  const [callsA, callsB] = [await a.calls(), await b.calls()];
  await reload({ ...usual, boards: { a: machine.b, b: machine.a } }, 'boards changed: a, b\n');
  await lab.file('finish', '');
  assert.match((await run.ended).stdout, /says hello/);
  assert.deepEqual(await b.calls(), callsB);
  const afterJob = await a.calls();
  assert.ok(afterJob.slice(callsA.length).every((call) => call.includes('--shutdown')));
  await lab.run(runOn('a'));
  assert.equal(
    (await b.calls()).some((call) => !callsB.includes(call) && call.includes('-c')),
    true,
  );
  assert.deepEqual(await a.calls(), afterJob);
});

test('limits and admins count from the next request on', {
  skip: noOtherUsers,
}, async () => {
  await lab.expect(['lock', 'a', '--key', 'h'], { exit: 0, stdout: 'a\n' });
  const first = lab.mq(['lock', 'a', '--key', 'w1']);
  await lab.untilWaiting('w1');
  assert.equal((await lab.run(['reload'], { as: nobody })).code, 1);
  const file = { ...usual, limits: { queue_length: 1 }, admins: [nobody.name], socket_group: 'daemon' };
  await reload(
    file,
    'settings changed: socket_group, admins, limits.queue_length\ntakes effect at the next start: socket_group\n',
  );
  const refused = await lab.run(['lock', 'a', '--key', 'w2']);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /1 tickets wait for this target already/);
  const byNobody = await lab.run(['reload', '--json'], { as: nobody });
  assert.deepEqual(JSON.parse(byNobody.stdout).atNextStart, ['socket_group']);
  assert.equal(first.hasEnded, false);
});

test('two at once are both answered, and the last file counts', async () => {
  await lab.configure({ ...usual, boards: { ...usual.boards, c: machine.a } });
  const both = await Promise.all([lab.run(['reload']), lab.run(['reload'])]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.deepEqual(both.map(({ stdout }) => stdout).sort(), ['boards added: c\n', 'nothing has changed\n']);
});
