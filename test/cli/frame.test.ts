// A full screen: what is written turns one frame into the next, and a slow terminal gets fewer frames, not old ones.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Frame, frameUpdate, makeFrame } from '../../src/cli/terminal/frame.ts';
import { FullScreen, keysIn } from '../../src/cli/terminal/full-screen.ts';
import { paintFor } from '../../src/cli/terminal/paint.ts';
import { fitPainted, textWidth } from '../../src/cli/terminal/width.ts';
import { CapturedStream } from './captured-terminal.ts';

/** As much of a terminal as frames use. Lines of one column a character. */
class Screen {
  lines: string[];

  constructor(rows: number) {
    this.lines = Array.from({ length: rows }, () => 'rubbish');
  }

  write(update: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: codes begin with it
    const pieces = update.match(/\u001b\[[\d;]*[A-Za-z]|[^\u001b]+/g) ?? [];
    let [row, column] = [0, 0];
    for (const piece of pieces) {
      const place = /\[(\d+);(\d+)H$/.exec(piece);
      if (place) [row, column] = [Number(place[1]) - 1, Number(place[2]) - 1];
      else if (piece.endsWith('[2J')) this.lines = this.lines.map(() => '');
      else if (piece.endsWith('[K')) this.lines[row] = (this.lines[row] ?? '').slice(0, column);
      else if (!piece.startsWith('\u001b')) {
        const old = this.lines[row] ?? '';
        this.lines[row] = old.slice(0, column) + piece + old.slice(column + piece.length);
        column += piece.length;
      }
    }
  }
}

const someFrame = fc
  .record({
    columns: fc.integer({ min: 1, max: 12 }),
    rows: fc.integer({ min: 1, max: 6 }),
    lines: fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'c'), maxLength: 16 }), {
      maxLength: 8,
    }),
    foot: fc.constantFrom('', 'foot', 'a longer foot'),
    from: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ columns, rows, ...content }) => makeFrame({ columns, rows }, content));

test('whatever was on the screen, updates turn it into the frame', () => {
  fc.assert(
    fc.property(fc.array(someFrame, { minLength: 1, maxLength: 6 }), (frames) => {
      let shown: Frame | undefined;
      let screen = new Screen(0);
      for (const frame of frames) {
        if (screen.lines.length !== frame.rows) screen = new Screen(frame.rows);
        screen.write(frameUpdate(shown, frame));
        assert.deepEqual(screen.lines, [...frame.lines]);
        shown = frame;
      }
    }),
  );
});

test('only lines that changed are written, and nothing where none did', () => {
  const size = { columns: 20, rows: 4 };
  const frame = (...lines: string[]) => makeFrame(size, { lines, foot: 'q: quit', from: 0 });
  const before = frame('one', 'two', 'three');
  assert.equal(frameUpdate(before, frame('one', 'two', 'three')), '');
  assert.equal(frameUpdate(before, frame('one', 'TWO', 'three')), '\x1b[2;1H\x1b[0m\x1b[KTWO');
  assert.equal(frameUpdate(before, frame('one', 'two')), '\x1b[3;1H\x1b[0m\x1b[K');
});

test('a frame fits the screen: lines are cut, the foot is always there', () => {
  const lines = Array.from({ length: 9 }, (_, index) => `${index} 漢字漢字漢字`);
  const { lines: shown } = makeFrame({ columns: 8, rows: 3 }, { lines, foot: 'foot', from: 4 });
  assert.deepEqual(shown, ['4 漢字…', '5 漢字…', 'foot']);
});

test('painted text is cut by what is seen of it, and its colours are closed', () => {
  const { red, bold } = paintFor(true);
  assert.equal(fitPainted(red('abc'), 3), red('abc'));
  assert.equal(fitPainted(`${red('abc')}${bold('def')}`, 4), `${red('abc')}${bold('…')}`);
  assert.equal(fitPainted(`${red('abc')}${bold('def')}`, 3), `${red('ab…')}${bold('x').replace('x', '')}`);
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', '漢', 'é') })),
      fc.nat({ max: 9 }),
      (parts, columns) => {
        const fitted = fitPainted(
          parts.map((part, index) => (index % 2 ? red(part) : part)).join(''),
          columns,
        );
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with it
        assert.ok(textWidth(fitted.replace(/\u001b\[\d+m/g, '')) <= columns);
      },
    ),
  );
});

test('keys are known however many come at once, and what is no key is nothing', () => {
  assert.deepEqual(keysIn('\x1b[A\x1b[Bjq'), ['up', 'down', 'down', 'quit']);
  assert.deepEqual(keysIn('x\x1b[15~\x1b[200~é\x03'), ['quit']);
});

test('while a terminal takes nothing, frames are left out; then the newest comes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mq-frame-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  // A pipe in the place of a terminal: it holds 64 KiB, and then a writer waits.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(path, constants.O_WRONLY);
  let drawn = 0;
  const screenStream = Object.assign(new CapturedStream(true), { fd, columns: 1000, rows: 200 });
  const screen = new FullScreen({
    screen: screenStream,
    input: Object.assign(new PassThrough(), { isTTY: false }) as unknown as NodeJS.ReadStream,
    draw: ({ columns, rows }) => {
      drawn += 1;
      const lines = Array.from({ length: rows }, () => `frame ${drawn} `.padEnd(columns, '.'));
      return makeFrame({ columns, rows }, { lines, foot: `foot ${drawn}`, from: 0 });
    },
    onKey: () => {},
  });
  const read = () => {
    const bytes = Buffer.alloc(1 << 20);
    try {
      return bytes.toString('latin1', 0, readSync(reader, bytes));
    } catch {
      return '';
    }
  };
  const turns = async (count: number) => {
    for (let turn = 0; turn < count; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      screen.redraw();
    }
  };
  await turns(50);
  assert.equal(drawn, 1);
  let text = '';
  while (!text.includes('foot 2')) {
    text += read();
    await turns(1);
  }
  assert.ok(drawn <= 3, `${drawn}`);
  const closed = screen.close();
  let rest = '';
  while (!rest.includes('\x1b[?1049l')) {
    rest += read();
    await new Promise(setImmediate);
  }
  await closed;
  rmSync(folder, { recursive: true });
});
