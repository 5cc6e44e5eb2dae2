// A board by parts in a lab: power by command, console by TCP and boot by copy, against a board that is a process of its
// own and knows nothing of mq.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hasProcessTable, listProcesses } from '../../src/platform/process-table.ts';
import { floodText } from '../../src/testing/board-suite.ts';
import { powerCommand } from '../../src/testing/emulated-board.ts';
import { Lab } from './harness/lab.ts';
import { Running } from './harness/running.ts';

const emulatorPath = fileURLToPath(new URL('harness/emulated-board-main.ts', import.meta.url));
const endText = 'All is well in the universe';

interface Faults {
  readonly hangingPowers?: number;
  readonly dropAfterBytes?: number;
  /** Of one try; generous where one is to work. */
  readonly timeout?: string;
  /** In the place of the emulator's console. */
  readonly consolePort?: number;
}

/** A lab of one board `b1`, with the emulator behind it. */
async function startLab(t: TestContext, faults: Faults = {}) {
  const { hangingPowers = 0, dropAfterBytes = Number.POSITIVE_INFINITY, timeout = '5s' } = faults;
  const lab = await Lab.make(t);
  const place = join(lab.folder, 'open', 'kernel');
  const words = [emulatorPath, place, String(hangingPowers), String(dropAfterBytes)];
  const emulator = new Running(process.execPath, words);
  t.after(() => emulator.kill('SIGKILL'));
  await emulator.printed('\n');
  const ports = JSON.parse(emulator.stdout) as { powerPort: number; consolePort: number };
  const { powerPort, consolePort } = { ...ports, ...faults };
  const b1 = {
    power: {
      driver: 'command',
      power_on: powerCommand(powerPort, 'on'),
      power_off: powerCommand(powerPort, 'off'),
      timeout,
    },
    console: { driver: 'tcp', host: '127.0.0.1', port: consolePort, connect_within: '1s' },
    boot: { driver: 'copy', to: place },
  };
  await lab.configure({ boards: { b1 } });
  await lab.startServer();
  /** The power commands that the emulator got, in order; it ends. */
  const asked = async (): Promise<string[]> => {
    emulator.kill('SIGTERM');
    const { stdout } = await emulator.ended;
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '').asked;
  };
  return { lab, powerPort, place, asked };
}

async function findPowerCommands(powerPort: number): Promise<string[]> {
  const processes = await listProcesses();
  const lines = processes.map(({ pid }) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.includes(`\0power\0${powerPort}\0`));
}

test('a job goes on over a power command that hangs once and a console that drops once, and no byte is lost', async (t) => {
  const { lab, place, asked } = await startLab(t, { hangingPowers: 1, dropAfterBytes: 1_000_003 });
  const text = `${floodText()}${endText}\n`;
  const image = await lab.file('image', text);
  const log = join(lab.folder, 'log');
  const job = ['run', '-s', 'b1', '-c', endText, '-d', '60', '-f', image, '-l', log];
  const { code, stderr } = await lab.run(job);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const wanted = text.slice(0, text.indexOf(endText) + endText.length);
  const kept = await readFile(log, 'utf8');
  assert.ok(kept.trimEnd() === wanted, `${kept.length} bytes of ${wanted.length}`);
  assert.equal(await readFile(place, 'utf8'), text);
  await lab.untilQuiet();
  assert.deepEqual(await asked(), ['off', 'off', 'on', 'off']);
});

test('a power command that hangs for ever is a lab fault within its limit, and nothing of it is left', {
  skip: hasProcessTable() ? false : 'only Linux has a process table to look into',
}, async (t) => {
  const { lab, powerPort } = await startLab(t, { hangingPowers: Number.POSITIVE_INFINITY, timeout: '1s' });
  const image = await lab.file('image', endText);
  const { code, stderr } = await lab.run(['run', 'b1', image, '--until', endText]);
  assert.equal(code, 3);
  assert.match(stderr, /power off failed 2 times: 'bash .*' was not done in time \(limit 1 s\)/);
  await lab.untilQuiet();
  assert.deepEqual(await findPowerCommands(powerPort), []);
});

test('a console that can not be reached is a lab fault, and the board is never switched on', async (t) => {
  const { lab, asked } = await startLab(t, { consolePort: 1 });
  const image = await lab.file('image', endText);
  const { code, stderr } = await lab.run(['run', 'b1', image, '--until', endText]);
  assert.equal(code, 3);
  assert.match(stderr, /the console at 127\.0\.0\.1:1 can't be reached, tried for 1 s: .*ECONNREFUSED/);
  await lab.untilQuiet();
  assert.ok(!(await asked()).includes('on'));
});
