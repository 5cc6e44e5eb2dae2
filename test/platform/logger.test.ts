// Log lines: their shape, what they hide, and that they never end the process.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type LogLevel, openLogger } from '../../src/platform/logger.ts';
import { redact, redactText } from '../../src/platform/redact.ts';
import { CollectingLogger } from '../../src/testing/collecting-logger.ts';

function fileLogger(t: TestContext, level: LogLevel | 'silent') {
  const folder = mkdtempSync(join(tmpdir(), 'logger-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'logs', 'one.log');
  const logger = openLogger({ to: { path }, level, fields: { process: 'test' } });
  const lines = async (): Promise<Record<string, unknown>[]> => {
    await logger.close();
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { logger, lines };
}

test('a line is one JSON object with time, level, message and fields', async (t) => {
  const { logger, lines } = fileLogger(t, 'info');
  logger.child({ stream: 7 }).warn('It is\nlate', { waitMs: 3 });
  const [line, ...others] = await lines();
  assert.deepEqual(others, []);
  assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    { ...line, time: '' },
    { time: '', level: 'warn', message: 'It is\nlate', process: 'test', stream: 7, waitMs: 3 },
  );
});

test('a line below the level is not written, one at the level is', async (t) => {
  const { logger, lines } = fileLogger(t, 'warn');
  logger.debug('a');
  logger.info('b');
  logger.warn('c');
  logger.error('d');
  assert.deepEqual(
    (await lines()).map((line) => line.message),
    ['c', 'd'],
  );
});

test('secrets do not reach the log, by name, in URLs or in headers', async (t) => {
  const { logger, lines } = fileLogger(t, 'debug');
  logger.child({ apiKey: 'hunter2' }).error('Cannot reach postgres://ana:hunter2@db/lab', {
    headers: { Authorization: 'Bearer hunter2hunter2', accept: '*/*' },
    list: [{ password: 'hunter2' }],
    error: new Error('refused: Bearer hunter2hunter2', { cause: { sessionToken: 'hunter2' } }),
    url: 'https://lab.example/login?token=hunter2&next=/',
  });
  const text = JSON.stringify(await lines());
  assert.ok(!text.includes('hunter2'), text);
  assert.ok(text.includes('postgres://[redacted]@db/lab'));
  assert.ok(text.includes('"accept":"*/*"'));
  assert.ok(text.includes('next=/'));
});

test('what only looks like a secret stays', () => {
  const harmless = {
    token: 17,
    fencing: { token: { generation: 1, number: 2 } },
    at: 'ana@host',
    url: 'http://a:80/b@c',
  };
  assert.deepEqual(redact(harmless), harmless);
  assert.equal(redactText('basic training'), 'basic training');
  assert.equal(redactText('authorization: Basic YTpi'), 'authorization: Basic [redacted]');
  assert.equal(redactText('ssh://lab:22/x'), 'ssh://lab:22/x');
});

test('errors keep message, stack, code and cause', () => {
  const cause = Object.assign(new Error('inner'), { code: 'ENOENT' });
  const written = redact({ error: new TypeError('outer', { cause }) }) as { error: Record<string, unknown> };
  assert.equal(written.error.name, 'TypeError');
  assert.equal(written.error.message, 'outer');
  assert.match(String(written.error.stack), /logger\.test/);
  const inner = written.error.cause as Record<string, unknown>;
  assert.deepEqual([inner.message, inner.code], ['inner', 'ENOENT']);
});

test('any value can be logged, and none is endless', () => {
  const circle: Record<string, unknown> = { big: 1n, bytes: Buffer.alloc(9), never: Number.NaN };
  circle.self = circle;
  const text = JSON.stringify(
    redact({ circle, long: 'x'.repeat(100_000), many: Array.from({ length: 5000 }, (_, index) => index) }),
  );
  assert.ok(text.length < 20_000, `${text.length} characters`);
  assert.ok(text.includes('[9 bytes]') && text.includes('[deeper]') && text.includes('4900 more'));
});

/** Runs a program that logs to standard error; `program` gets `logger`. */
function runLogging(program: string) {
  const url = new URL('../../src/platform/logger.ts', import.meta.url).href;
  const source = `const { openLogger } = await import(${JSON.stringify(url)});
    const logger = openLogger({ to: 'stderr', level: 'info' });
    ${program}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('the last lines before the end of the process are written, also when it crashes', {
  timeout: 20_000,
}, async () => {
  for (const end of ['process.exit(3);', 'throw new Error("crash");']) {
    const child = runLogging(`for (let n = 0; n < 1000; n += 1) logger.info('line', { n }); ${end}`);
    const text = await textOf(child.stderr);
    assert.equal(text.match(/"n":\d+/g)?.length, 1000);
    assert.ok(text.includes('"n":999'));
  }
});

test('a flush has written the lines before it returns', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'logger-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'one.log');
  const logger = openLogger({ to: { path }, level: 'info' });
  logger.info('before');
  logger.flush();
  assert.match(readFileSync(path, 'utf8'), /before/);
  await logger.close();
  assert.equal(readFileSync(path, 'utf8').match(/before/g)?.length, 1);
});

test('a reader of standard error that goes away does not end the process', { timeout: 20_000 }, async () => {
  const child = runLogging(`
    process.stdout.on('error', () => {});
    let rounds = 0;
    setInterval(() => {
      logger.info('x'.repeat(1000));
      rounds += 1;
      if (rounds === 50) process.exit(7);
    }, 1);`);
  child.stderr.destroy();
  const [code] = await once(child, 'close');
  assert.equal(code, 7);
});

test('a full disk costs lines, not the process', { timeout: 20_000 }, async (t) => {
  if (process.platform !== 'linux') {
    t.skip('there is no /dev/full on this system');
    return;
  }
  const logger = openLogger({ to: { path: '/dev/full' }, level: 'info' });
  for (let round = 0; round < 20; round += 1) {
    logger.info('line');
    await new Promise((resolve) => setImmediate(resolve));
  }
  await logger.close();
});

test('lines that a slow reader cost are counted in a line of their own', { timeout: 20_000 }, async () => {
  const child = runLogging(`
    const bulk = 'x'.repeat(8000);
    for (let n = 0; n < 2000; n += 1) logger.info('line', { n, bulk });
    await logger.close();
    logger.info('later');`);
  const text = await textOf(child.stderr);
  const lost = Number(/"lines":(\d+),"message":"log lines were lost"/.exec(text)?.[1]);
  assert.ok(lost > 0);
  assert.equal((text.match(/"n":\d+/g)?.length ?? 0) + lost, 2000);
});

test('a log file that cannot be opened is an error at once', () => {
  assert.throws(() => openLogger({ to: { path: '/dev/null/x' }, level: 'info' }), { code: /ENOTDIR|EEXIST/ });
});

test('a collecting logger keeps the lines of its children too', () => {
  const logger = new CollectingLogger();
  logger.child({ board: 'a' }).info('one', { n: 1 });
  logger.error('two');
  assert.deepEqual(logger.lines, [
    { level: 'info', message: 'one', fields: { board: 'a', n: 1 } },
    { level: 'error', message: 'two', fields: {} },
  ]);
});
