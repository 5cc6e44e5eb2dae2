// The demonstration as a reader of the README runs it, but for npm: exit code, length, and nothing left behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const demoMsMax = 90_000;

interface Demo {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `onText` is called with all of stdout so far, and with the pid. */
function runDemo(onText: (text: string, pid: number) => void = () => undefined): Promise<Demo> {
  const child = spawn('sh', ['scripts/run.sh', 'demo'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), demoMsMax);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (child.pid !== undefined) onText(stdout, child.pid);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((done) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      done({ code, stdout, stderr });
    });
  });
}

function folders(): string[] {
  const home = join(root, '.demo');
  return existsSync(home) ? readdirSync(home) : [];
}

test('the demonstration ends with 0, in few lines, and leaves nothing behind', async () => {
  const before = folders();
  const { code, stdout, stderr } = await runDemo();
  assert.equal(code, 0, `${stdout}${stderr}`);
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length <= 60, `${lines.length} lines`);
  const said = [
    /^Lock for pc2 held by .* with key 'ana'$/,
    /^Ben {5}pc1 \| slow: booted$/,
    /^Dan {3}asks for north and has to wait: next in line$/,
    /^Eva {5}pc3 \| Assertion failed: received == expected/,
    /^Fay {5}\[\[Timeout\]\]$/,
    /has waited .* s and gets pc1 from Ben$/,
    /6 jobs: 4 completed, 1 error text, 1 timed out/,
  ];
  for (const line of said)
    assert.ok(
      lines.some((text) => line.test(text) || line.test(text.trim())),
      `${line} in\n${stdout}`,
    );
  assert.deepEqual(folders(), before);
});

test('a demonstration that is stopped halfway ends its server and agent, and says that it was stopped', async () => {
  const before = folders();
  let isTold = false;
  const { code, stdout, stderr } = await runDemo((text, pid) => {
    if (isTold || !text.includes('pc1 | slow: booted')) return;
    isTold = true;
    process.kill(pid, 'SIGINT');
  });
  assert.ok(isTold, stdout + stderr);
  assert.equal(code, 1);
  assert.match(stderr, /stopping server and agent/);
  assert.deepEqual(folders(), before);
});
