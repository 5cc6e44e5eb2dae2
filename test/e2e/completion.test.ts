// Completion in a real bash: as if Tab were pressed behind a line, against a server, a slow one, and none.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { cleanEnvironment, Lab } from './harness/lab.ts';
import { mqPath } from './harness/paths.ts';

const pc = { machine: { driver: 'v86' } };
const lab = await Lab.start({ after }, { boards: { sabre: pc, haswell: pc }, pools: { sabres: ['sabre'] } });

/** What bash would offer; it is asked just as it asks when Tab is pressed. */
async function tab(
  line: string,
  { server = `unix:${lab.socketPath}`, ms = '20000' } = {},
): Promise<string[]> {
  const script = `
    eval "$(mq completion bash)"
    COMP_LINE=$1 COMP_POINT=\${#1}
    _mq mq
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const PATH = `${dirname(mqPath)}:${process.env.PATH}`;
  const bash = spawn('bash', ['--norc', '-c', script, 'bash', line], {
    env: { ...cleanEnvironment(), PATH, MQ_SERVER: server, MQ_COMPLETION_MS: ms },
    cwd: lab.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, errors] = await Promise.all([text(bash.stdout), text(bash.stderr), once(bash, 'close')]);
  // Outside of a real completion compopt has nothing to set, and says so.
  assert.match(errors, /^(.*compopt: not currently executing completion function\n)*$/);
  return out.split('\n').filter((one) => one !== '');
}

test('commands, options and live names of boards, pools, jobs and keys', async () => {
  assert.deepEqual(await tab('mq unl'), ['unlock']);
  assert.deepEqual(await tab('mq lock --no-'), ['--no-wait', '--no-color']);
  assert.deepEqual(await tab('mq lock sa'), ['sabre', 'sabres']);
  assert.deepEqual(await tab('mq lock haswell,sabres'), ['haswell,sabres']);
  assert.deepEqual(await tab('mq extend s'), ['sabre']);
  assert.deepEqual(await tab('mq run sabre '), []);
  await lab.expect(['lock', 'sabre', '--key', 'my key'], { exit: 0, stdout: 'sabre\n' });
  assert.deepEqual(await tab('mq unlock sabre --key '), ['my\\ key']);
  assert.deepEqual(await tab("mq unlock sabre --key 'my"), ['my key']);
  assert.deepEqual(await tab('mq unlock sabre --key=m'), ['my\\ key']);
  const waiting = lab.mq(['lock', 'sabre', '--key', 'waits']);
  const { queue } = await lab.untilWaiting('waits');
  assert.deepEqual(await tab('mq cancel '), [String(queue[0]?.ticket)]);
  waiting.kill('SIGINT');
  await waiting.ended;
});

const noFish =
  spawnSync('fish', ['-c', 'exit 0']).status !== 0 && 'there is no fish here; npm run setup:debian adds it';

test('fish offers commands and live names too', { skip: noFish }, () => {
  const offered = (line: string): string[] => {
    const script = `mq completion fish | source; complete -C "${line}"`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], {
      env: {
        ...cleanEnvironment(),
        HOME: lab.folder,
        PATH: `${dirname(mqPath)}:${process.env.PATH}`,
        MQ_SERVER: `unix:${lab.socketPath}`,
        MQ_COMPLETION_MS: '20000',
      },
      encoding: 'utf8',
      cwd: lab.folder,
    });
    assert.equal(stderr, '');
    return stdout.split('\n').flatMap((one) => one.split('\t')[0] || []);
  };
  assert.deepEqual(offered('mq unl'), ['unlock']);
  assert.deepEqual(offered('mq lock sa'), ['sabre', 'sabres']);
});

test('without a server, and with one that does not answer, there are no names, no words and no long wait', async () => {
  assert.deepEqual(await tab('mq lock s', { server: 'unix:/nonexistent/s', ms: '' }), []);
  assert.deepEqual(await tab('mq lock s', { server: 'nonsense' }), []);
  const path = join(lab.folder, 'mute');
  const mute = createServer(() => {}).listen(path);
  await once(mute, 'listening');
  assert.deepEqual(await tab('mq lock s', { server: `unix:${path}`, ms: '' }), []);
  assert.deepEqual(await tab('mq lock --no-w', { server: `unix:${path}` }), ['--no-wait']);
  mute.close();
});
