// What can stand where somebody is typing, from the help alone, and how shells get it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { complete } from '../../src/cli/completion/complete.ts';
import { forBash, narrow, splitLine } from '../../src/cli/completion/fit-shell.ts';
import { shellCode, shells } from '../../src/cli/completion/shell-code.ts';
import { commandHelps } from '../../src/cli/help/help.ts';

function words(...typed: string[]): readonly string[] {
  const candidates = complete(typed);
  assert.equal(candidates.kind, 'words', typed.join(' '));
  return candidates.kind === 'words' ? candidates.words : [];
}

function kind(...typed: string[]): string {
  const candidates = complete(typed);
  return candidates.kind === 'names' ? candidates.of : candidates.kind;
}

test('the first word is a command, also behind --server and help', () => {
  for (const typed of [[''], ['--server', 'unix:/s', ''], ['--server=unix:/s', ''], ['help', '']]) {
    const found = words(...typed);
    for (const name of ['run', 'status', 'completion']) assert.ok(found.includes(name), typed.join(' '));
  }
  assert.deepEqual(words('nosuch', ''), []);
});

test('behind a command come the names that its help says, each in its place', () => {
  const cases: [string[], string][] = [
    [['lock', ''], 'target'],
    [['run', ''], 'target'],
    [['run', 'sabre', ''], 'files'],
    [['run', 'sabre', 'a', ''], 'files'],
    [['unlock', ''], 'target'],
    [['extend', ''], 'board'],
    [['logs', ''], 'job'],
    [['jobs', ''], 'job'],
    [['cancel', ''], 'live'],
    [['queue', ''], 'target'],
    [['board', 'drain', ''], 'board'],
    [['board', 'drain', 'a', ''], 'board'],
    [['with', 'sabre', '--', ''], 'files'],
    [['check-config', ''], 'files'],
    [['import', ''], 'files'],
    [['give', 'sabre', ''], 'words'],
    [['logs', '81', ''], 'words'],
  ];
  for (const [typed, wanted] of cases) assert.equal(kind(...typed), wanted, typed.join(' '));
  assert.deepEqual(words('board', ''), ['drain', 'resume', 'note']);
  assert.deepEqual(words('completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(words('give', 'sabre', ''), []);
});

test('options are those of the command; their values are of their kind, and are no names in a place', () => {
  const options = words('lock', '-');
  for (const option of ['--key', '--no-wait', '--reuse', '--help', '--server', '--no-color'])
    assert.ok(options.includes(option), option);
  assert.ok(!options.includes('--until'));
  assert.equal(kind('unlock', '--key', ''), 'key');
  assert.equal(kind('unlock', '--key='), 'key');
  assert.equal(kind('unlock', '--key', 'x', ''), 'target');
  for (const command of ['lock', 'with']) {
    assert.equal(kind(command, '--need', ''), 'need');
    assert.equal(kind(command, '--need=x86_'), 'need');
    assert.equal(kind(command, 'one', '--count', '2', ''), 'target');
  }
  assert.equal(kind('unlock', '--force', ''), 'target');
  assert.equal(kind('give', 'sabre', '--to', ''), 'user');
  assert.equal(kind('run', '--log', ''), 'files');
  assert.equal(kind('server', '-c', ''), 'files');
  assert.deepEqual(words('lock', '--priority', ''), ['high', 'normal', 'low']);
  assert.deepEqual(words('lock', '--note', ''), []);
});

test('the old words complete by their usage', () => {
  assert.equal(kind('sem', '-wait', ''), 'target');
  assert.equal(kind('sem', '-signal', 'sabre', '-k', ''), 'key');
  assert.ok(words('sem', '-').includes('-signal'));
  assert.equal(kind('run', '-s', ''), 'target');
  assert.equal(kind('run', '-s', 'sabre', '-f', ''), 'files');
  assert.ok(words('run', '-s', 'sabre', '-').includes('-c'));
  assert.ok(!words('run', 'sabre', '-').includes('-c'));
});

test('every command can be completed, wherever its help is written', () => {
  for (const command of Object.keys(commandHelps())) complete([command, 'x', '-', '']);
});

test('a line is split as the shell would split it', () => {
  const split = (line: string) => {
    const { words, quote } = splitLine(line);
    return [...words, quote];
  };
  assert.deepEqual(split('mq lock '), ['mq', 'lock', '', '']);
  assert.deepEqual(split(`mq unlock 'a b' --key "c\\"d`), ['mq', 'unlock', 'a b', '--key', 'c"d', '"']);
  assert.deepEqual(split('cd x; FOO=1 | mq lo'), ['mq', 'lo', '']);
  assert.deepEqual(split("mq a\\ b ''"), ['mq', 'a b', '', '']);
});

test('only what begins as typed is offered; of lists and assignments the last part counts', () => {
  const names = ['sabre', 'haswell', 'haswell2'];
  assert.deepEqual(narrow('has', names), ['haswell', 'haswell2']);
  assert.deepEqual(narrow('haswell,', names), ['haswell,sabre', 'haswell,haswell2']);
  assert.deepEqual(narrow('--key=s', names), ['--key=sabre']);
  assert.deepEqual(narrow('', ['two\nlines', 'x\u001b[2J', '']), []);
});

test('bash gets only what stands behind its word break, with quotes where they are needed', () => {
  assert.deepEqual(forBash(['--key=a b'], '--key=a', ''), ['a\\ b']);
  assert.deepEqual(forBash(['me@ci'], 'me@', ''), ['ci']);
  assert.deepEqual(forBash(['owner/$x;y'], '', ''), ['owner/\\$x\\;y']);
  assert.deepEqual(forBash(["it's", 'a b'], '', "'"), ['a b']);
});

for (const shell of shells) {
  const missing =
    spawnSync(shell, ['-c', 'exit 0']).status !== 0 &&
    `there is no ${shell} here; npm run setup:debian adds it`;
  test(`the code for ${shell} is free of syntax errors`, { skip: missing }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'mq-shell-'));
    const check = (name: string, code: string) => {
      writeFileSync(join(folder, name), code);
      return spawnSync(shell, ['-n', join(folder, name)], { encoding: 'utf8' });
    };
    const { status, stderr } = check('code', shellCode[shell]);
    assert.equal(status, 0, stderr);
    assert.notEqual(check('broken', 'if true\n(').status, 0);
    rmSync(folder, { recursive: true });
  });
}
