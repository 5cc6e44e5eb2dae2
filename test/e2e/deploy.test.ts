// deploy/mq.sh: the old words from a host that has only a POSIX shell, ssh and tar. A real sshd, a real server.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { Lab } from './harness/lab.ts';
import { makePartsBoard } from './harness/parts-board.ts';
import { type Ended, Running, type RunOptions } from './harness/running.ts';
import { noSshd, SshHost } from './harness/ssh-host.ts';
import { me } from './harness/users.ts';

const clientPath = resolve(import.meta.dirname, '../../deploy/mq.sh');
const pc = { machine: { driver: 'v86' } };
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('');
const head = lines(
  'Acquiring lock for one',
  'Lock for one currently free',
  'Lock acquired, we are allowed to run',
);

describe('deploy/mq.sh', { skip: noSshd }, async () => {
  if (noSshd !== false) return;
  const lab = await Lab.make({ after });
  const script = await lab.scriptBoard('script');
  const parts = await makePartsBoard(lab.folder, 'parts');
  await lab.configure({
    boards: {
      one: pc,
      two: pc,
      script: { machine: script.machine, linux: true, dtb: true },
      parts: parts.settings,
    },
    pools: { pair: ['one', 'two'] },
  });
  await lab.startServer();
  const host = await SshHost.start(lab);
  after(() => host.close());
  const commands: Running[] = [];
  after(() => commands.forEach((command) => void (command.hasEnded || command.kill('SIGKILL'))));

  function start(words: readonly string[], options: RunOptions = {}): Running {
    const env = { TMPDIR: join(lab.folder, 'open'), ...host.environment, ...options.env };
    const command = new Running(clientPath, words, { cwd: join(lab.folder, 'open'), ...options, env });
    commands.push(command);
    return command;
  }
  const run = (words: readonly string[], options?: RunOptions): Promise<Ended> => start(words, options).ended;
  async function expect(words: readonly string[], exit: number, wanted: string): Promise<void> {
    const { code, stdout, stderr } = await run(words);
    assert.deepEqual({ code, stdout, stderr }, { code: exit, stdout: wanted, stderr: '' }, words.join(' '));
  }

  test('a board is switched, and what is piped goes to its console', async () => {
    await expect(['lock', 'parts'], 0, 'parts\n');
    await expect(['power', 'parts', 'on'], 0, '');
    await expect(['power', 'parts', 'status'], 0, 'on\n');
    const console = start(['console', 'parts'], { stdin: 'open' });
    await console.printed('console open');
    console.type('hello\n');
    await console.printed('you said hello');
    console.endInput();
    assert.equal((await console.ended).code, 0);
    await expect(['unlock', 'parts'], 0, '');
  });

  test('locks, pools and keys with every odd character, over one connection for a command', async () => {
    const before = (await host.connections()).length;
    const key = `owner/repo-it's (x) "q" $(id) \`id\`; \\ ''\n*-1`;
    await expect(['sem', '-wait', 'pair', '-k', key], 0, lines('Attempting system one in pool pair', 'one'));
    assert.equal((await host.connections()).length, before + 1);
    await expect(
      ['sem', '-signal', 'one', '-k', 'y'],
      0,
      'Attempting to unlock system one with the wrong key!\n',
    );
    for (const words of [
      ['sem', '-info', 'pair'],
      ['sem', 'dumpall'],
      ['system-tsv'],
      ['sem', '-wait', 'nosuch'],
      [],
    ]) {
      const here = await lab.run(words);
      await expect(words, here.code ?? -1, here.stdout);
    }
    await lab.until('the key is as it was given', ({ boards }) => boards[0]?.lock?.key === key);
    await expect(['sem', '-signal', 'one', '-k', key], 0, '');
    assert.equal(await lab.holder('one'), 'one FREE');
    await lab.expect(['sem', '-wait', 'one', '-k', 'h'], { exit: 0, stdout: '' });
    await expect(['sem', '-wait', 'one', '-t', '0'], 2, 'Failed to acquire lock for system (one)\n');
    await lab.expect(['sem', '-signal', 'one', '-k', 'h'], { exit: 0, stdout: '' });
  });

  test('a job: files and log with odd names, raw bytes, the end text and -d', async () => {
    const name = 'raw \'image\' "x" $y.elf';
    await lab.file(`open/${name}`, makeImage({ kind: 'raw' }));
    const log = "my 'log'\nof today";
    const { code, bytes, stderr } = await run(['run', '-s', 'one', '-c', 'universe', '-f', name, '-l', log]);
    assert.deepEqual([code, stderr], [0, '']);
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    assert.equal(bytes.subarray(0, head.length).toString(), head);
    assert.deepEqual(bytes.subarray(head.length, head.length + 256), all);
    assert.deepEqual((await readFile(join(lab.folder, 'open', log))).subarray(0, 256), all);
    const late = await run(['run', '-s', 'one', '-c', 'never', '-d', '1', '-f', name, '-l', 'late']);
    assert.equal(late.code, 1);
    assert.ok(late.stdout.endsWith('\n[[Timeout]]\n'), late.stdout);
    assert.ok((await readFile(join(lab.folder, 'open/late'))).length > 256);
    assert.deepEqual(await leftThere(), []);
  });

  test("a program's exit code comes through, 255 and the three files included", async () => {
    const image = await lab.file('exit.sh', 'cat "$dtb" "$bitstream"; exit 255\n');
    const dtb = await lab.file('-a dtb', 'this is the dtb\n');
    const bitstream = await lab.file('bits', 'these are the bits\n');
    const files = ['-f', image, '-b', dtb, '--bitstream', bitstream];
    const { code, stdout } = await run(['run', '-s', 'script', '-L', '-c', 'x', ...files]);
    assert.equal(code, 255, stdout);
    assert.match(stdout, /this is the dtb\nthese are the bits\n/);
  });

  test('a job in the newer words: files, device tree and log go and come as with the old letters', async () => {
    await lab.file('open/new.elf', makeImage({ kind: 'hello' }));
    const words = [
      'run',
      'one',
      'new.elf',
      '--until=All is well',
      '--log',
      'new.log',
      '--key=-x',
      '--timeout',
      '5m',
    ];
    const { code, stdout, stderr } = await run(words);
    assert.deepEqual([code, stdout], [0, 'hello: booted\nHello from the board\nAll is well'], stderr);
    assert.match(stderr, /^mq: board one, job \d+\nmq: job \d+ on one: done\./);
    assert.match(await readFile(join(lab.folder, 'open/new.log'), 'utf8'), /All is well/);
    const image = await lab.file('new.sh', 'cat "$dtb"; exit 3\n');
    const dtb = await lab.file('new.dtb', 'this is the dtb\n');
    const linux = await run([
      'run',
      '--json',
      '--linux',
      `--dtb=${dtb}`,
      '--until',
      'x',
      '--',
      'script',
      image,
    ]);
    const { verdict, programExit } = JSON.parse(linux.stdout);
    assert.deepEqual([linux.code, verdict, programExit], [1, 'error-text', 3], linux.stderr);
    assert.deepEqual(await leftThere(), []);
  });

  test('a file that is missing is told as ever, and nothing is sent', async () => {
    const before = (await host.connections()).length;
    const told = 'either does not exist, or is not considered a valid file\n';
    await expect(['run', '-s', 'one', '-c', 'x', '-f', 'no such'], 1, `File "no such" ${told}`);
    await expect(['run', '-b', 'none', '-s', 'one', '-c', 'x'], 1, `dtb file "none" ${told}`);
    assert.equal((await host.connections()).length, before);
  });

  test('standard input reaches a reservation, and the end of it ends it', async () => {
    const keep = start(['run', '-s', 'one', '-r'], { stdin: 'open' });
    await keep.printed('Press ctrl+d or enter here when done');
    assert.match(await lab.holder('one'), /^one LOCKED /);
    keep.endInput();
    const { code, stdout } = await keep.ended;
    assert.equal(code, 0);
    assert.match(stdout, /Attempting to power off machine now that you are done\n$/);
    assert.equal(await lab.holder('one'), 'one FREE');
  });

  test('the CI run decides about turns there as it would here', async () => {
    await lab.expect(['sem', '-wait', 'one', '-k', 'h'], { exit: 0, stdout: '' });
    const waiting = start(['sem', '-wait', 'one', '-k', 'ci'], { env: { GITHUB_RUN_ID: "12'3" } });
    const { queue } = await lab.untilWaiting('ci');
    assert.equal(queue[0]?.set, `${me.name}/12'3`);
    waiting.kill('SIGTERM');
    assert.equal((await waiting.ended).code, 1);
    await lab.until('the ticket is gone', (status) => status.queue.length === 0);
    await lab.expect(['sem', '-signal', 'one', '-k', 'h'], { exit: 0, stdout: '' });
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`${signal} stops the job there; the log comes back and the board is free`, async () => {
      const image = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
      const job = start(['run', '-s', 'one', '-c', 'never', '-f', image, '-l', signal]);
      await job.printed('hang: booted');
      job.kill(signal);
      assert.equal((await job.ended).code, 1);
      assert.equal(await lab.holder('one'), 'one FREE');
      assert.match(await readFile(join(lab.folder, 'open', signal), 'utf8'), /hang: booted/);
    });
  }

  test('a killed client, and a line that drops, end the job and leave nothing behind', async () => {
    const image = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
    for (const victim of ['client', 'ssh']) {
      const job = start(['run', '-s', 'one', '-c', 'never', '-f', image]);
      await job.printed('hang: booted');
      const pid = victim === 'client' ? job.pid : (await host.connections()).at(-1);
      process.kill(pid ?? 0, 'SIGKILL');
      await lab.untilQuiet();
      const { code, stdout } = await job.ended;
      if (victim === 'ssh')
        assert.deepEqual([code, stdout.endsWith('Unable to ssh to 127.0.0.1\n')], [1, true]);
    }
    await lab.expect(['sem', 'dumpall'], { exit: 0, stdout: '' });
  });

  test('a host that is not reached, and an address that is none', async () => {
    const closed = { env: { MQ_SERVER: `ssh://${me.name}@127.0.0.1:1` } };
    const { code, stdout, stderr } = await run(['sem', '-info', 'one'], closed);
    assert.deepEqual([code, stdout], [1, 'Unable to ssh to 127.0.0.1\n']);
    assert.match(stderr, /Connection refused/);
    for (const address of [
      '',
      'lab',
      'ssh://',
      'ssh://-oProxyCommand=x',
      'ssh://-l@lab',
      'ssh://lab:x',
      'ssh://a b',
    ]) {
      const refused = await run(['status'], { env: { MQ_SERVER: address } });
      assert.deepEqual([refused.code, refused.stdout], [2, ''], address);
    }
  });

  /** Folders of commands, on either side. */
  async function leftThere(): Promise<string[]> {
    const names = await Promise.all(
      [host.temporaryFolder, join(lab.folder, 'open')].map((folder) => readdir(folder)),
    );
    return names.flat().filter((name) => name.startsWith('mq-'));
  }
});
