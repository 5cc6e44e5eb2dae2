// `mq console`: a board's console with and without a job, by pipe and on a real terminal.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { cleanEnvironment, Lab } from './harness/lab.ts';
import { makePartsBoard } from './harness/parts-board.ts';
import { mqPath } from './harness/paths.ts';
import { noTmux, TmuxScreen } from './harness/tmux.ts';

const lab = await Lab.make({ after });
const sabre = await makePartsBoard(lab.folder, 'sabre');
const short = await makePartsBoard(lab.folder, 'short');
await lab.configure({
  boards: {
    sabre: sabre.settings,
    short: { ...short.settings, idle_max: '3s' },
    pc: { machine: { driver: 'v86' } },
  },
});
await lab.startServer();
const hang = await lab.file('hang.elf', makeImage({ kind: 'hang' }));
const quiet = { exit: 0, stdout: '' };
let screens = 0;
let screen: TmuxScreen | undefined;

afterEach(async () => {
  screen?.close();
  await lab.reset();
});

async function onScreen(words: readonly string[]): Promise<TmuxScreen> {
  screens += 1;
  const folder = join(lab.folder, `screen-${screens}`);
  await mkdir(folder);
  const env = { ...cleanEnvironment(), MQ_SERVER: `unix:${lab.socketPath}` };
  screen = new TmuxScreen(folder, [mqPath, ...words], { columns: 100, rows: 40, env });
  return screen;
}

describe('of a board that one holds', () => {
  test('what is piped is typed, and what comes back is printed; the power is left alone', async () => {
    await lab.run(['lock', 'sabre']);
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    console.type('hello\n');
    console.endInput();
    const { code, stdout } = await console.ended;
    assert.deepEqual([code, stdout], [0, 'console open\nyou said hello\n']);
    assert.deepEqual(await sabre.switched(), []);
    const [job] = JSON.parse((await lab.run(['jobs', '--json'])).stdout) as { id: number; verdict: string }[];
    assert.equal(job?.verdict, 'completed');
    assert.equal((await lab.run(['logs', String(job?.id)])).stdout, stdout);
    await lab.expect(['unlock', 'sabre'], quiet);
    assert.deepEqual(await sabre.switched(), []);
  });

  test('the board may be cycled meanwhile, and what it says is seen', async () => {
    await lab.run(['lock', 'sabre']);
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await console.printed('console open');
    await lab.expect(['power', 'sabre', 'cycle'], quiet);
    await console.printed('sabre boots');
    console.type('still here\n');
    await console.printed('you said still here');
    console.endInput();
    assert.equal((await console.ended).code, 0);
    await lab.expect(['unlock', 'sabre'], quiet);
  });

  test('on a terminal every key goes to the board, and Ctrl+] q leaves', { skip: noTmux }, async () => {
    await lab.run(['lock', 'sabre']);
    const shown = await onScreen(['console', 'sabre']);
    await shown.shows(/The console of sabre.* Ctrl\+\] q leaves/);
    await shown.shows(/console open/);
    shown.type('uname');
    shown.press('C-j');
    await shown.shows(/you said uname/);
    shown.press('C-]');
    shown.type('?');
    await shown.shows(/Ctrl\+\] q leaves[\s\S]*Ctrl\+\] q leaves/);
    shown.press('C-]');
    shown.type('q');
    await shown.shows(/^left-0$/m);
    shown.type('echo cooked');
    shown.press('Enter');
    await shown.shows(/^cooked$/m);
    await lab.until('its job has ended', ({ jobs }) => jobs.length === 0);
  });

  test('ends with the lock, and says who ended it', async () => {
    await lab.run(['lock', 'sabre']);
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await console.printed('console open');
    await lab.run(['unlock', 'sabre', '--force', '--note', 'needed']);
    const { code, stderr } = await console.ended;
    assert.equal(code, 1);
    assert.match(stderr, /was cancelled: the lock was released by .*needed/);
  });

  test('a killed command leaves no job behind', async () => {
    await lab.run(['lock', 'sabre']);
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await console.printed('console open');
    console.kill('SIGKILL');
    await console.ended;
    await lab.until('its job has ended', ({ jobs }) => jobs.length === 0);
  });
});

describe('of a job', () => {
  test('its last lines and what comes are shown to others, who read along', async () => {
    const run = lab.mq(['run', 'sabre', hang, '--until', 'you said .*', '--key', 'k']);
    await run.printed('sabre boots');
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await console.printed('sabre boots');
    await console.printed('you only read along', 'stderr');
    run.kill('SIGINT');
    assert.equal((await console.ended).code, 0);
    await run.ended;
  });

  test('that takes input and is one’s own, what one types goes to it, by one command at a time', async () => {
    const run = lab.mq(['run', 'sabre', hang, '--until', 'boots', '--keep-on'], { stdin: 'open' });
    await run.printed('sabre boots');
    await lab.until('it is open', ({ jobs }) => jobs[0]?.state === 'completed');
    const console = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await console.printed('what you type goes to it', 'stderr');
    console.type('first\n');
    await Promise.all([run.printed('you said first'), console.printed('you said first')]);
    const second = lab.mq(['console', 'sabre'], { stdin: 'open' });
    await second.printed('what you type goes to it', 'stderr');
    second.type('second\n');
    await second.printed('only one does at a time', 'stderr');
    console.endInput();
    assert.equal((await console.ended).code, 0);
    run.endInput();
    assert.equal((await run.ended).code, 0);
    const { code, stdout } = await second.ended;
    assert.deepEqual([code, stdout.includes('you said second')], [0, false]);
  });
});

describe('refused, with what to type, is', () => {
  test('who does not hold a board without a job, or with another key', async () => {
    const free = await lab.run(['console', 'sabre']);
    assert.equal(free.code, 2);
    assert.match(free.stderr, /Nobody holds sabre\. Lock it first: mq lock sabre\./);
    await lab.run(['lock', 'sabre', '--key', 'mine']);
    assert.match((await lab.run(['console', 'sabre'])).stderr, /with the key 'mine': give it by --key/);
  });

  test('a board that has no console without a job, and what is no board', async () => {
    await lab.run(['lock', 'pc']);
    const { code, stderr } = await lab.run(['console', 'pc']);
    assert.equal(code, 1);
    assert.match(stderr, /pc has no console without a job\. Run something: mq run pc/);
    const { boards } = await lab.until('the board is good', () => true);
    assert.equal(boards.find(({ board }) => board === 'pc')?.health, 'good');
    assert.equal((await lab.run(['console', 'sabre,pc'])).code, 2);
  });
});

test('a lock that is typed into lives past idle_max, and ends when nobody types, though the console is open', async () => {
  await lab.run(['lock', 'short']);
  const console = lab.mq(['console', 'short'], { stdin: 'open' });
  await console.printed('console open');
  const endAt = performance.now() + 4_500;
  for (let line = 1; performance.now() < endAt; line += 1) {
    console.type(`line ${line}\n`);
    await console.printed(`you said line ${line}\n`);
  }
  assert.equal(console.hasEnded, false);
  const { code, stderr } = await console.ended;
  assert.equal(code, 1);
  assert.match(stderr, /the lock was idle for too long/);
  await lab.untilQuiet();
});
