// A job of `run` from its start to its end, against a server in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConsoleLog } from '../../src/cli/console-log.ts';
import { Interrupted } from '../../src/cli/interrupt.ts';
import { parseRun, type RunRequest } from '../../src/cli/legacy/run-flags.ts';
import { followImage } from '../../src/cli/legacy/run-job.ts';
import { splitKeys } from '../../src/cli/run/job-input.ts';
import { JobNews } from '../../src/cli/run/job-news.ts';
import { submitTicket } from '../../src/client/ticket.ts';
import type { JobView } from '../../src/protocol/views.ts';
import { connectScripted } from '../client/connect-scripted.ts';
import type { ScriptedOptions } from '../client/scripted-server.ts';
import { capturedTerminal } from './captured-terminal.ts';

const request = parseRun(['-s', 'b', '-c', 'x'], { env: {}, isFile: () => true }) as RunRequest;

async function started(options: ScriptedOptions = {}) {
  const { server, client } = await connectScripted(options);
  const news = new JobNews();
  const ticket = await submitTicket(
    client,
    { target: 'b', kind: 'run', key: '0' },
    { onJob: (job, message) => news.hear(job, message) },
  );
  await ticket.settled();
  const folder = mkdtempSync(join(tmpdir(), 'mq-run-job-'));
  const logPath = join(folder, 'console.log');
  const log = await ConsoleLog.open(logPath);
  const captured = capturedTerminal();
  const abort = new AbortController();
  const { terminal } = captured;
  const job = { client, ticket, request, terminal, log, news, board: 'b', signal: abort.signal };
  const finish = async (): Promise<Buffer> => {
    await log.close();
    const logged = readFileSync(logPath);
    rmSync(folder, { recursive: true });
    return logged;
  };
  return { server, client, job, abort, captured, finish };
}

const running: JobView = {
  id: 7,
  state: 'running',
  target: 'b',
  board: 'b',
  user: 'ana',
  key: '0',
  set: '',
  files: [],
};

test('stdout gets the console up to the end of the text, the log gets every byte', async () => {
  const text = Buffer.from('boot\r\nAll is well in the universe\xff\n', 'latin1');
  const { server, job, captured, finish } = await started({ console: text, consoleChunk: 5 });
  server.job = { ...running, matchEnd: 17 };
  server.push({ event: 'job', job: server.job });
  assert.equal(await followImage(job), 0);
  assert.equal(captured.stdout.bytes.toString('latin1'), 'boot\r\nAll is well');
  assert.deepEqual(await finish(), text);
});

for (const [text, shown] of [
  ['booting', 'booting\n[[Timeout]]\n'],
  ['booting\n', 'booting\n[[Timeout]]\n'],
  ['', '[[Timeout]]\n'],
]) {
  test(`a time-out behind ${JSON.stringify(text)} has its line to itself`, async () => {
    const { server, job, captured, finish } = await started({
      console: Buffer.from(text ?? ''),
      jobRunsOn: true,
    });
    server.push({ event: 'job', job: { ...running, state: 'ended', verdict: 'timed-out' } });
    assert.equal(await followImage(job), 1);
    assert.equal(captured.stdout.text, shown);
    await finish();
  });
}

test('a signal cancels the job and waits for its end before the command does', async () => {
  const { server, job, abort, finish } = await started({ console: Buffer.from('text') });
  server.silent.add('console');
  const following = followImage(job);
  abort.abort(new Interrupted('SIGINT'));
  await assert.rejects(following, Interrupted);
  assert.ok(server.done.includes('cancel'), server.done.join(' '));
  assert.equal(job.ticket.job?.state, 'ended');
  await finish();
});

test('a log that can not be written stops the job instead of letting it run unseen', async () => {
  const { server, job, finish } = await started({ console: Buffer.from('text') });
  const full = await ConsoleLog.open('/dev/full');
  const broken = { ...job, log: full };
  await assert.rejects(followImage(broken), { code: 'BAD_REQUEST', message: /log file \/dev\/full/ });
  await full.close();
  assert.ok(server.done.includes('cancel'));
  await finish();
});

test('a lab fault is told also where nobody watches, a failed image is not', async () => {
  for (const [verdict, told] of [
    ['lab-fault', /fault of the lab.*relay/],
    ['error-text', /^$/],
  ] as const) {
    const { server, job, captured, finish } = await started({ console: Buffer.from('x'), jobRunsOn: true });
    server.push({ event: 'job', job: { ...running, state: 'ended', verdict, detail: 'relay' } });
    assert.equal(await followImage(job), 1);
    assert.match(captured.stderr.text, told);
    await finish();
  }
});

test('Ctrl+C stops and Ctrl+D ends the input at a terminal, and the keys before them are sent', () => {
  const split = (text: string) => {
    const { bytes, next } = splitKeys(Buffer.from(text));
    return [bytes.toString(), next];
  };
  assert.deepEqual(split('ls\r'), ['ls\r', 'on']);
  assert.deepEqual(split('ls\x03rm'), ['ls', 'stop']);
  assert.deepEqual(split('\x04'), ['', 'end']);
  assert.deepEqual(split('a\x1c'), ['a', 'stop']);
});
