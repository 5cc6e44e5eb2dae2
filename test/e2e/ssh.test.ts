// The old words from another host, through ssh://: a real sshd, a real server, and lines that break.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { type CommandOptions, Lab } from './harness/lab.ts';
import { noSshd, SshHost } from './harness/ssh-host.ts';
import { me } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const quiet = { exit: 0, stdout: '' };

describe('through ssh://', { skip: noSshd }, async () => {
  if (noSshd !== false) return;
  const lab = await Lab.make({ after });
  const script = await lab.scriptBoard('script');
  const boards = { one: pc, two: pc, script: { machine: script.machine } };
  await lab.configure({ boards, pools: { pair: ['one', 'two'] } });
  await lab.startServer();
  const host = await SshHost.start(lab);
  after(() => host.close());
  const remote = (options: CommandOptions = {}): CommandOptions => ({
    ...options,
    env: { ...host.environment, ...options.env },
  });

  test('a lock is taken and released as the ssh account, over one connection for a command', async () => {
    const before = (await host.connections()).length;
    await lab.expect(['sem', '-wait', 'one', '-k', 'x'], quiet, remote());
    assert.equal((await host.connections()).length, before + 1);
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name} x`);
    await lab.expect(['sem', '-signal', 'one', '-k', 'x'], quiet, remote());
    assert.equal(await lab.holder('one'), 'one FREE');
  });

  test('pools, lists and keys with odd characters come out as on the host itself', async () => {
    const key = `owner/repo-it's (x) "q" $(id) \`id\`;\n*-1`;
    const stdout = lines('Attempting system one in pool pair', 'one');
    await lab.expect(['sem', '-wait', 'pair', '-k', key], { exit: 0, stdout }, remote());
    const wrong = 'Attempting to unlock system one with the wrong key!\n';
    await lab.expect(['sem', '-signal', 'one', '-k', 'y'], { exit: 0, stdout: wrong }, remote());
    for (const words of [
      ['sem', '-info', 'pair'],
      ['sem', 'dumpall'],
      ['system-tsv'],
      ['sem', '-wait', 'nosuch'],
    ]) {
      const here = await lab.run(words);
      await lab.expect(words, { exit: here.code ?? -1, stdout: here.stdout }, remote());
    }
    await lab.until('the key is as it was given', ({ boards }) => boards[0]?.lock?.key === key);
    await lab.expect(['sem', '-signal', 'one', '-k', key], quiet, remote());
  });

  test('a job: console, log file with a space in its name, exit codes, raw bytes', async () => {
    const image = await lab.file('a raw image.elf', makeImage({ kind: 'raw' }));
    const log = join(lab.folder, 'open', 'my log');
    const words = ['run', '-s', 'one', '-c', 'universe', '-f', image, '-l', log];
    const { code, bytes } = await lab.run(words, remote());
    assert.equal(code, 0);
    const head = lines(
      'Acquiring lock for one',
      'Lock for one currently free',
      'Lock acquired, we are allowed to run',
    );
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    assert.equal(bytes.subarray(0, head.length).toString(), head);
    assert.deepEqual(bytes.subarray(head.length, head.length + 256), all);
    assert.deepEqual((await readFile(log)).subarray(0, 256), all);
    const late = await lab.run(['run', '-s', 'one', '-c', 'never', '-d', '1', '-f', image], remote());
    assert.equal(late.code, 1);
    assert.ok(late.stdout.endsWith('\n[[Timeout]]\n'), late.stdout);
  });

  test('INT stops the job, and the board is free again when the command has ended', async () => {
    const image = await lab.file('slow.elf', makeImage({ kind: 'hang' }));
    const job = lab.mq(['run', '-s', 'one', '-c', 'never', '-f', image], remote());
    await job.printed('hang: booted');
    job.kill('SIGINT');
    assert.equal((await job.ended).code, 1);
    assert.equal(await lab.holder('one'), 'one FREE');
  });

  test('a dropped line loses neither place nor ticket: a new one resumes within the grace', async () => {
    await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
    const before = (await host.connections()).length;
    const waiting = lab.mq(['sem', '-wait', 'one', '-k', 'drop'], remote());
    await lab.untilWaiting('drop');
    const id = await ticketOf('drop');
    process.kill((await host.connections())[before] ?? 0, 'SIGKILL');
    // That its client is away may be over before it can be seen.
    await host.untilConnections(before + 2);
    await lab.until('its client is back', ({ queue }) => queue[0]?.state === 'waiting');
    assert.equal(await ticketOf('drop'), id);
    await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
    assert.equal((await waiting.ended).code, 0);
    assert.equal((await host.connections()).length, before + 2);
    await lab.expect(['sem', '-signal', 'one', '-k', 'drop'], quiet);
  });

  test('a line that drops under a job costs no byte of its console, and no job', async () => {
    const go = join(lab.folder, 'go');
    const text = `echo first; until [ -e '${go}' ]; do sleep 0.05; done; echo last; exit 3\n`;
    const image = await lab.file('wait.sh', text);
    const before = (await host.connections()).length;
    const job = lab.mq(['run', '-s', 'script', '-c', 'x', '-f', image], remote());
    await job.printed('first\n');
    process.kill((await host.connections())[before] ?? 0, 'SIGKILL');
    await lab.file('go', '');
    const { code, stdout } = await job.ended;
    assert.equal(code, 3);
    assert.ok(stdout.endsWith('we are allowed to run\nfirst\nlast\n'), stdout);
    assert.equal((await host.connections()).length, before + 2);
    assert.equal((await script.journal()).filter((line) => line.startsWith('start')).length, 1);
  });

  test('a job whose client was killed goes on for the grace, and then its board is free', async () => {
    const image = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
    const job = lab.mq(['run', '-s', 'one', '-c', 'never', '-f', image], remote());
    await job.printed('hang: booted');
    const killedAt = performance.now();
    job.kill('SIGKILL');
    await job.ended;
    await lab.untilQuiet();
    const seconds = (performance.now() - killedAt) / 1000;
    assert.ok(seconds > 14, `it took ${seconds} s`);
  });

  test('-n under a lock that was taken through ssh: INT stops the job, the lock and its key stay', async () => {
    await lab.expect(['sem', '-wait', 'one', '-k', 'mine'], quiet, remote());
    const image = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
    const words = ['run', '-s', 'one', '-n', '-c', 'never', '-f', image];
    const refused = await lab.run([...words, '-k', 'other'], remote());
    assert.equal(refused.code, 2);
    assert.match(refused.stdout, /but you gave the wrong key!\nFailed to acquire lock for system \(one\)\n$/);
    const job = lab.mq([...words, '-k', 'mine'], remote());
    await job.printed('hang: booted');
    job.kill('SIGINT');
    assert.equal((await job.ended).code, 1);
    assert.equal(await lab.holder('one'), `one LOCKED ${me.name} mine`);
    await lab.expect(['sem', '-signal', 'one', '-f'], quiet, remote());
  });

  test('a reservation ends with Enter typed here', async () => {
    const keep = lab.mq(['run', '-s', 'one', '-r'], remote({ stdin: 'open' }));
    await keep.printed('Press ctrl+d or enter here when done');
    keep.type('\n');
    assert.equal((await keep.ended).code, 0);
    assert.equal(await lab.holder('one'), 'one FREE');
  });

  test('a relay that dies on the host is a dropped line too, and ends no ticket', async () => {
    await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
    const before = (await host.connections()).length;
    const waiting = lab.mq(['sem', '-wait', 'one', '-k', 'relay'], remote());
    const id = await ticketOf('relay');
    const relays = await host.relays();
    assert.equal(relays.length, 1);
    process.kill(relays[0] ?? 0, 'SIGKILL');
    // That its client is away may be over before it can be seen.
    await host.untilConnections(before + 2);
    await lab.until('its client is back', ({ queue }) => queue[0]?.state === 'waiting');
    assert.equal(await ticketOf('relay'), id);
    waiting.kill('SIGINT');
    assert.equal((await waiting.ended).code, 1);
    await lab.until('the ticket is gone', ({ queue }) => queue.length === 0);
    await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
  });

  test('a killed client looks like a dropped line: its ticket ends after the grace, not before', async () => {
    await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
    const waiting = lab.mq(['sem', '-wait', 'one', '-k', 'killed'], remote());
    await lab.untilWaiting('killed');
    const killedAt = performance.now();
    waiting.kill('SIGKILL');
    await waiting.ended;
    await lab.until('its ticket is gone', ({ queue }) => queue.length === 0);
    const seconds = (performance.now() - killedAt) / 1000;
    assert.ok(seconds > 14, `it took ${seconds} s`);
    await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
  });

  test('a host that is not reached is told by the words that clients try again on, and by ssh itself', async () => {
    const closed = { env: { MQ_SERVER: 'ssh://127.0.0.1:1' } };
    const { code, stdout, stderr } = await lab.run(['sem', '-info', 'one'], remote(closed));
    assert.deepEqual([code, stdout], [1, 'Unable to ssh to 127.0.0.1\n']);
    assert.match(stderr, /^ssh: connect to host 127\.0\.0\.1 port 1: Connection refused\n$/);
    const newer = await lab.run(['status'], remote(closed));
    assert.equal(newer.code, 4);
    assert.match(newer.stderr, /No mq server answers at ssh:\/\/127\.0\.0\.1:1/);
  });

  test('a host without mq, or whose server is down, is told as well', async () => {
    const without = await lab.run(['status'], remote({ env: { MQ_REMOTE: '/nonexistent/mq' } }));
    assert.equal(without.code, 4);
    assert.match(without.stderr, /there is no mq on 127\.0\.0\.1/);
    const unsafe = await lab.run(['status'], remote({ env: { MQ_REMOTE: 'mq; touch x' } }));
    assert.equal(unsafe.code, 2);
    assert.match(unsafe.stderr, /MQ_REMOTE must be the path/);
  });

  async function ticketOf(key: string): Promise<number | undefined> {
    const { queue } = await lab.untilWaiting(key);
    return queue.find((entry) => entry.key === key)?.ticket;
  }
});
