// What goes where: results to stdout, words for people to stderr and mostly only to a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { durationText } from '../../src/cli/terminal/duration.ts';
import { escapeText } from '../../src/cli/terminal/escape.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import { tableLines } from '../../src/cli/terminal/table.ts';
import { fitWidth, padWidth, textWidth } from '../../src/cli/terminal/width.ts';
import { capturedTerminal } from './captured-terminal.ts';

test('hints and place are for terminals only, complaints for everybody', () => {
  const quiet = capturedTerminal();
  quiet.terminal.hint('a hint');
  quiet.terminal.status('2nd in line');
  quiet.terminal.complain('trouble');
  assert.equal(quiet.stderr.text, 'trouble\n');
  const watched = capturedTerminal({ isTTY: true });
  watched.terminal.hint('a hint');
  assert.equal(watched.stderr.text, 'a hint\n');
});

test('the status line is rewritten in place, and gone before anything else is printed', () => {
  const { terminal, stdout, stderr } = capturedTerminal({ isTTY: true });
  terminal.status('3rd in line');
  terminal.status('3rd in line');
  terminal.status('2nd in line');
  terminal.print(['result']);
  terminal.wipe();
  assert.equal(stderr.text, '\r\x1b[K3rd in line\r\x1b[K2nd in line\r\x1b[K');
  assert.equal(stdout.text, 'result\n');
});

test('a status line never gets wider than the terminal and carries no control characters', () => {
  const { terminal, stderr } = capturedTerminal({ isTTY: true });
  terminal.status(`held by \x1b[31m${'x'.repeat(100)}`);
  const line = stderr.text.slice('\r\x1b[K'.length);
  assert.equal(textWidth(line), 59);
  assert.ok(!line.includes('\x1b'));
});

test('a hint behind half a line of console starts a line of its own', async () => {
  const { terminal, stderr } = capturedTerminal({ isTTY: true });
  await terminal.write(Buffer.from('login: '));
  terminal.hint('Ctrl+C stops');
  terminal.hint('again');
  await terminal.write(Buffer.from('done\n'));
  terminal.hint('third');
  assert.equal(stderr.text, '\nCtrl+C stops\nagain\nthird\n');
});

test('in a log that has both streams, what is said behind half a line of console has its own line too', async () => {
  for (const [isOneFile, said] of [
    [true, '\ndone\nagain\n'],
    [false, 'done\nagain\n'],
  ] as const) {
    const { terminal, stderr } = capturedTerminal({ isOneFile });
    await terminal.write(Buffer.from('login: '));
    terminal.complain('done');
    terminal.complain('again');
    assert.equal(stderr.text, said);
  }
});

test('writing waits for a slow reader, and ends when the reader is gone', async () => {
  const { terminal, stdout } = capturedTerminal();
  const waiting: (() => void)[] = [];
  stdout._write = (_chunk, _encoding, done) => waiting.push(done);
  let isThrough = false;
  const writing = terminal.write(Buffer.alloc(100_000)).then(() => {
    isThrough = true;
  });
  await new Promise(setImmediate);
  assert.equal(isThrough, false);
  waiting.shift()?.();
  await writing;
  const stuck = terminal.write(Buffer.alloc(100_000));
  stdout.on('error', () => {});
  stdout.destroy(new Error('EPIPE'));
  await stuck;
  await terminal.write(Buffer.from('more'));
});

test('colours come on terminals that want them', () => {
  const colourful = capturedTerminal({ isTTY: true });
  assert.equal(colourful.terminal.hasColour(colourful.stdout), true);
  colourful.terminal.hasNoColour = true;
  for (const { terminal, stdout } of [
    colourful,
    capturedTerminal(),
    capturedTerminal({ isTTY: true, env: { NO_COLOR: '1' } }),
    capturedTerminal({ isTTY: true, env: { TERM: 'dumb' } }),
  ]) {
    assert.equal(terminal.hasColour(stdout), false);
  }
  assert.equal(paintFor(true).red('x'), '\x1b[31mx\x1b[39m');
  assert.equal(paintFor(false).red('x'), 'x');
});

test('what could move the cursor or forge a line is shown as an escape, other text as it is', () => {
  assert.equal(escapeText('a\nb\r\t\x1b[2J\x7f\x9b\u202e'), 'a\\nb\\r\\t\\e[2J\\x7f\\x9b\\u202e');
  assert.equal(escapeText("owner/repo (1) 'x' ü 漢 🙂"), "owner/repo (1) 'x' ü 漢 🙂");
});

test('text is cut to its width with an ellipsis, wide letters counting two', () => {
  assert.equal(fitWidth('abcdef', 6), 'abcdef');
  assert.equal(fitWidth('abcdef', 5), 'abcd…');
  assert.equal(fitWidth('漢字漢字', 5), '漢字…');
  assert.equal(fitWidth('abc', 0), '');
  assert.equal(textWidth('e\u0301漢'), 3);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, columns) => {
      assert.ok(textWidth(fitWidth(text, columns)) <= columns);
      assert.equal(textWidth(padWidth(text, columns)), columns);
    }),
  );
});

const columns = [{ title: 'N', right: true }, { title: 'BOARD' }, { title: 'KEY', flexible: true }];

test('a table is as wide as it needs, and leaves empty columns out', () => {
  assert.deepEqual(
    tableLines(columns, [
      ['1', 'sabre', ''],
      ['12', 'pc1', ''],
    ]),
    [' N  BOARD', ' 1  sabre', '12  pc1'],
  );
});

test('a table is narrowed to the terminal by its flexible columns, and hostile cells stay in their line', () => {
  const lines = tableLines(columns, [['1', 'sabre', `k\n${'x'.repeat(100)}`]], { width: 30 });
  assert.equal(lines.length, 2);
  for (const line of lines) assert.ok(textWidth(line) <= 30, line);
  assert.match(lines[1] ?? '', /k\\nx+…$/);
  assert.match(tableLines(columns, [['1', 'sabre', 'x'.repeat(100)]])[1] ?? '', /x{100}$/);
});

test('a table fits any width that has room for its columns, and leaves out what matters least first', () => {
  const columns = [
    { title: 'BOARD' },
    { title: 'KEY', flexible: true, drop: 2 },
    { title: 'POOLS', flexible: true, drop: 1 },
  ];
  const rows = [
    ['sabre', '漢字漢字漢字', 'north south'],
    ['haswell-1', 'k', 'east'],
  ];
  const titles = (width: number) => tableLines(columns, rows, { width })[0]?.split(/ +/);
  assert.deepEqual(titles(80), ['BOARD', 'KEY', 'POOLS']);
  assert.deepEqual(titles(22), ['BOARD', 'KEY']);
  assert.deepEqual(titles(16), ['BOARD']);
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 90 }),
      fc.array(fc.array(fc.string(), { minLength: 3, maxLength: 3 })),
      (width, rows) => {
        for (const line of tableLines(columns, rows, { width })) assert.ok(textWidth(line) <= width, line);
      },
    ),
  );
});

test('colour does not count as width', () => {
  const paint = paintFor(true);
  const lines = tableLines(
    [{ title: 'A' }, { title: 'B' }],
    [
      [{ text: 'x', paint: paint.red }, 'y'],
      ['long', 'z'],
    ],
  );
  assert.equal(lines[1], '\x1b[31mx\x1b[39m     y');
});

test('lengths of time have the two units that matter', () => {
  assert.deepEqual([0, 420, 12_000, 192_000, 7_500_000, 90_000_000].map(durationText), [
    '0.0 s',
    '0.4 s',
    '12 s',
    '3 min 12 s',
    '2 h 5 min',
    '1 d 1 h',
  ]);
});
