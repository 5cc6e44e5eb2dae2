// The file itself: missing, not text, too large. And 10,000 boards, which must not take long.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig, parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';

const folder = mkdtempSync(join(tmpdir(), 'mq-config-'));
after(() => rmSync(folder, { recursive: true }));

async function saidOf(name: string, content?: string | Uint8Array): Promise<string[]> {
  const path = join(folder, name);
  if (content !== undefined) writeFileSync(path, content);
  const result = await loadConfig(path);
  return (result.ok ? result.warnings : result.problems).map((problem) =>
    formatProblem(problem).replace(`${folder}/`, ''),
  );
}

test('a file that is right is read, byte order mark or not', async () => {
  const text = 'lab: Ünïcode\nboards: { b: { machine: { driver: v86 } } }\n';
  assert.deepEqual(await saidOf('lab.yaml', text), []);
  assert.deepEqual(await saidOf('bom.yaml', `\uFEFF${text}`), []);
  assert.deepEqual(await saidOf('crlf.yaml', text.replaceAll('\n', '\r\n')), []);
});

test('a folder of lock files that is not there is warned of where somebody looks, and not by the server', async () => {
  const path = join(folder, 'locks.yaml');
  const lab = (at: string) => `lab: L\nlock_files: ${at}\nboards: { b: { machine: { driver: v86 } } }\n`;
  const said = async (at: string, looksAround: boolean) => {
    writeFileSync(path, lab(at));
    const result = await loadConfig(path, { looksAround });
    assert.ok(result.ok && result.config.lockFiles === at);
    return result.warnings.map((warning) => formatProblem(warning).replaceAll(folder, ''));
  };
  assert.deepEqual(await said(`${folder}/none`, true), [
    '/locks.yaml:2:13: there is no folder /none on this machine: no board will be granted without it',
  ]);
  assert.deepEqual(await said(`${folder}/none`, false), []);
  assert.deepEqual(await said(folder, true), []);
});

test('a file that is not there, or is a folder, is a problem of the file as a whole', async () => {
  assert.match((await saidOf('none.yaml'))[0] ?? '', /^none\.yaml: can't be read: ENOENT/);
  assert.match((await saidOf('.'))[0] ?? '', /can't be read: EISDIR/);
});

test('a file that is not UTF-8 is refused, and so is one that is too large', async () => {
  assert.deepEqual(await saidOf('latin1.yaml', Buffer.from('lab: \xfcber\n', 'latin1')), [
    'latin1.yaml: is not UTF-8 text',
  ]);
  assert.deepEqual(await saidOf('large.yaml', Buffer.alloc(16 * 1024 * 1024 + 1, '#')), [
    'large.yaml: is larger than 16 MB',
  ]);
});

test('a lab of 10,000 boards is read, with every board in its pools', () => {
  const boards = Array.from({ length: 10_000 }, (_, index) => `b${index}`);
  const lines = boards.map((name, index) => `  ${name}: { soc: s${index % 100}, machine: { driver: v86 } }`);
  const text = `lab: L\nboards:\n${lines.join('\n')}\npools:\n  all: [${boards.join(', ')}]\n  some: { where: { soc: s7 } }\n`;
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok);
  assert.deepEqual(
    result.config.pools.map((pool) => pool.boards.length),
    [10_000, 100],
  );
});
