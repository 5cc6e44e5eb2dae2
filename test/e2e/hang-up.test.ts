// A HUP to a server at a terminal: it stops when the terminal has gone, and loads its configuration again when it has not.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { isRunning, readStartTime } from '../../src/platform/process-table.ts';
import { Lab } from './harness/lab.ts';
import { noTerminal } from './harness/terminal.ts';

const pc = { machine: { driver: 'v86' } };

test('a server in the foreground outlives a HUP, and not its terminal', {
  skip: noTerminal,
  timeout: 60_000,
}, async () => {
  const lab = await Lab.make({ after });
  await lab.configure({ boards: { one: pc } });
  const places = ['--config', lab.configPath, '--state', lab.stateFolder, '--socket', lab.socketPath];
  const terminal = lab.mq(['server', ...places], { terminal: true });
  await terminal.printed('"ready"');
  const pid = Number(/\d+/.exec(await readFile(`${lab.stateFolder}/lock`, 'utf8'))?.[0]);
  const server = { pid, startTime: readStartTime(pid) ?? assert.fail(`${pid} runs`) };
  await lab.configure({ boards: { one: pc, two: pc } });
  process.kill(pid, 'SIGHUP');
  await lab.until('two is there', ({ boards }) => boards.some(({ board }) => board === 'two'));
  terminal.kill('SIGKILL');
  await terminal.ended;
  while (isRunning(server)) await new Promise((resolve) => setTimeout(resolve, 20));
});
