// Options of the newer commands, and help: what is wrong, what was meant, how to get help.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { commandHelp, isCommand, nearestCommand, usageLines } from '../../src/cli/help/help.ts';
import { idOf, onlyWord, parseOptions } from '../../src/cli/options.ts';

const specs = {
  json: { kind: 'flag' },
  follow: { kind: 'flag', short: 'f' },
  limit: { kind: 'text', short: 'n' },
} as const;

function parse(...argv: string[]) {
  const { flags, texts, words, wantsHelp } = parseOptions('jobs', argv, specs);
  return { flags: [...flags], texts: Object.fromEntries(texts), words, wantsHelp };
}

test('options come in every form and order', () => {
  const wanted = { flags: ['json', 'follow'], texts: { limit: '5' }, words: ['81'], wantsHelp: false };
  assert.deepEqual(parse('--json', '-f', '-n', '5', '81'), wanted);
  assert.deepEqual(parse('81', '--json', '--limit=5', '--follow'), wanted);
  assert.deepEqual(parse('--', '--json').words, ['--json']);
  assert.equal(parse('-h').wantsHelp, true);
});

test('a value may look like an option or be empty', () => {
  assert.equal(parse('--limit', '-5').texts.limit, '-5');
  assert.equal(parse('--limit=').texts.limit, '');
});

test('a mistake is told with the nearest option and the way to help', () => {
  assert.throws(() => parse('--jsno'), {
    code: 'BAD_REQUEST',
    message: /--jsno.*Did you mean --json\?.*mq jobs --help/,
  });
  assert.throws(() => parse('-x'), /There is no option -x/);
  assert.throws(() => parse('--json=1'), /takes no value/);
  assert.throws(() => parse('--limit'), /needs a value/);
  assert.throws(() => onlyWord('logs', [], 'job'), /Which job\?/);
  assert.throws(() => onlyWord('logs', ['1', '2'], 'job'), /'2' is one word too many/);
});

test('a number of a job is a whole one from 1', () => {
  assert.equal(idOf('logs', '81'), 81);
  for (const text of ['0', '-1', '1.5', 'x', '1e3', '99999999999999999999']) {
    assert.throws(() => idOf('logs', text), { code: 'BAD_REQUEST' }, text);
  }
});

// The table of commands is in main.ts, which runs when it is loaded.
const source = readFileSync(new URL('../../src/cli/main.ts', import.meta.url), 'utf8');
const table = source.slice(source.indexOf('const commands'), source.indexOf('};'));
const commands = [...table.matchAll(/^ {2}'?([a-z-]+)'?: (?:async|list)/gm)].map((match) => match[1] ?? '');

test('every command has help with a summary and examples, and stands in the usage', () => {
  assert.ok(commands.length > 10, commands.join(' '));
  const usage = usageLines('mq').join('\n');
  for (const command of commands) {
    assert.ok(isCommand(command), command);
    assert.match(usage, new RegExp(`^  ${command} `, 'm'), command);
    assert.match(commandHelp(command).join('\n'), new RegExp(`Examples:\\n +mq ${command}`), command);
  }
});

test('help speaks of the program by the name it was called', () => {
  assert.match(usageLines('mq.sh').join('\n'), /usage: mq\.sh COMMAND/);
  assert.match(commandHelp('run', 'mq.sh').join('\n'), /mq\.sh run TARGET/);
});

test('no line of help is wider than 110 columns', () => {
  for (const line of [usageLines('mq'), ...commands.map((command) => commandHelp(command))].flat()) {
    assert.ok(line.length <= 110, line);
  }
});

test('a mistyped command is recognised, and another word is not', () => {
  assert.equal(nearestCommand('stauts'), 'status');
  assert.equal(nearestCommand('rnu'), 'run');
  assert.equal(nearestCommand('xyzzy'), undefined);
});
