// `mq status --watch` on a terminal: a screen of its own that follows the lab, fits, and is left as it was found.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { textWidth } from '../../src/cli/terminal/width.ts';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { cleanEnvironment, Lab } from './harness/lab.ts';
import { mqPath } from './harness/paths.ts';
import { noTmux, TmuxScreen } from './harness/tmux.ts';
import { me } from './harness/users.ts';

const pc = { machine: { driver: 'v86' } };
const many = Array.from({ length: 30 }, (_, index) => [`board-${index + 1}`, pc] as const);
const lab = await Lab.start(
  { after },
  { boards: Object.fromEntries([['sabre', pc], ...many]), pools: { all: ['sabre', 'board-1'] } },
);
const hang = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
const quiet = { exit: 0, stdout: '' };
let screens = 0;
let screen: TmuxScreen | undefined;

afterEach(async () => {
  screen?.close();
  await lab.reset();
});

async function watch(
  { columns, rows }: { columns: number; rows: number },
  begin = /^sabre +free/m,
): Promise<TmuxScreen> {
  screens += 1;
  const folder = join(lab.folder, `screen-${screens}`);
  await mkdir(folder);
  const env = { ...cleanEnvironment(), MQ_SERVER: `unix:${lab.socketPath}` };
  screen = new TmuxScreen(folder, [mqPath, 'status', '--watch'], { columns, rows, env });
  await screen.shows(begin);
  return screen;
}

test('boards, what waits and my jobs are shown and follow the lab; q leaves the screen as it was', {
  skip: noTmux,
}, async () => {
  const shown = await watch({ columns: 100, rows: 50 });
  assert.doesNotMatch(shown.text, /'status' '--watch'/);
  const run = lab.mq(['run', 'sabre', hang, '--until', 'never', '--key', 'seen']);
  await run.printed('hang: booted');
  const queued = lab.mq(['lock', 'sabre', '--key', 'queued']);
  const text = await shown.shows((text) => /^sabre +held/m.test(text) && text.includes('queued'));
  assert.match(text, new RegExp(`^sabre +held +${me.name} +seen`, 'm'));
  await shown.shows(/^Your jobs\n.* running +sabre /ms);
  run.kill('SIGINT');
  await run.ended;
  await shown.shows(/ cancelled +sabre /);
  await queued.ended;
  await lab.expect(['unlock', 'sabre', '--key', 'queued'], quiet);
  await shown.shows(/^sabre +free/m);
  shown.press('q');
  const left = await shown.shows(/left-0$/m);
  assert.match(left, /status' '--watch'/);
  assert.doesNotMatch(left, /^sabre/m);
});

test('it fits narrow terminals, follows a resize, scrolls, and Ctrl+C leaves it', {
  skip: noTmux,
}, async () => {
  await lab.expect(['lock', 'sabre', '--key', '漢字'.repeat(30), '--note', 'x'.repeat(200)], {
    exit: 0,
    stdout: 'sabre\n',
  });
  const shown = await watch({ columns: 40, rows: 12 }, /^sabre +held/m);
  for (const [columns, rows] of [
    [40, 12],
    [80, 24],
    [30, 8],
  ] as const) {
    shown.resize(columns, rows);
    const text = await shown.shows(new RegExp(`lines 1 to ${rows - 1} of`));
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, rows, text);
    for (const line of lines) assert.ok(textWidth(line) <= columns, line);
    assert.match(text, /^sabre +held/m);
  }
  shown.press('End');
  await shown.shows((text) => /^all /m.test(text) && !/^sabre/m.test(text));
  shown.press('Home');
  await shown.shows(/^sabre +held/m);
  shown.press('C-c');
  await shown.shows((text) => /left-0$/m.test(text) && !/^sabre/m.test(text));
});

test('it says when the server is away, and goes on when that is back', { skip: noTmux }, async () => {
  const shown = await watch({ columns: 80, rows: 24 });
  await lab.killServer();
  await shown.shows(/The server is away/);
  await lab.startServer();
  await shown.shows((text) => !text.includes('The server is away') && /^sabre +free/m.test(text));
  await lab.expect(['lock', 'sabre'], { exit: 0, stdout: 'sabre\n' });
  await shown.shows(/^sabre +held/m);
});
