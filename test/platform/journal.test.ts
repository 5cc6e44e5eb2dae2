// Log lines that systemd's journal gets carry their priority, and others don't.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isJournal, withPriority } from '../../src/platform/journal.ts';

test('each level has the priority that the journal knows for it', () => {
  const of = (level: string) => withPriority(`{"level":"${level}","time":"t"}\n`).slice(0, 3);
  assert.deepEqual(['debug', 'info', 'warn', 'error', 'other'].map(of), ['<7>', '<6>', '<4>', '<3>', '<6>']);
  assert.equal(withPriority('{"level":"warn"}\n'), '<4>{"level":"warn"}\n');
  assert.equal(withPriority('plain\n'), '<6>plain\n');
});

test('only the very stream that systemd names is the journal', () => {
  const { dev, ino } = statSync('/dev/null', { bigint: true });
  const fd = openSync('/dev/null', 'w');
  assert.equal(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` }), true);
  assert.equal(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino + 1n}` }), false);
  assert.equal(isJournal(fd, { JOURNAL_STREAM: '' }), false);
  assert.equal(isJournal(fd, {}), false);
  closeSync(fd);
  assert.equal(isJournal(fd, { JOURNAL_STREAM: `${dev}:${ino}` }), false);
});

test('a logger on standard error writes priorities for the journal, and none for a file that is not it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'log');
  const url = new URL('../../src/platform/logger.ts', import.meta.url).href;
  const code = `const { openLogger } = await import('${url}');
    openLogger({ to: 'stderr', level: 'info' }).warn('careful');`;
  const write = (isTold: boolean) => {
    const fd = openSync(path, 'w');
    const { dev, ino } = statSync(path, { bigint: true });
    const env = { PATH: process.env.PATH, JOURNAL_STREAM: isTold ? `${dev}:${ino}` : '1:1' };
    const words = ['--no-warnings', '--input-type=module', '-e', code];
    spawnSync(process.execPath, words, { stdio: ['ignore', 'ignore', fd], env });
    closeSync(fd);
    return readFileSync(path, 'utf8');
  };
  assert.match(write(true), /^<4>\{"level":"warn".*careful.*\}\n$/);
  assert.match(write(false), /^\{"level":"warn".*careful.*\}\n$/);
});
