// The newer words of `mq run`: which form a call is in, what the options mean, how an end is told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { exitCodes, exitOfVerdict } from '../../src/cli/exit-codes.ts';
import { runForm } from '../../src/cli/run/run-form.ts';
import { endJson, endText } from '../../src/cli/run/run-report.ts';
import { runWish } from '../../src/cli/run/run-words.ts';
import { errorClasses } from '../../src/protocol/errors.ts';
import type { JobView } from '../../src/protocol/views.ts';

const form = (...words: string[]) => runForm(words).kind;

test('an old letter in the place of an option makes a call an old one, and so does nothing at all', () => {
  for (const words of [
    [],
    ['help'],
    ['--server', 'unix:/s'],
    ['-s', 'sabre', '-c', 'x', '-f', 'a'],
    ['-c', '--until', '-s', 'sabre'],
    ['sabre', '-f', 'a'],
    ['--server', 'unix:/s', '-s', 'sabre', '--priority', 'high', '--set', '-x', '-r'],
  ])
    assert.equal(form(...words), 'old', words.join(' '));
});

test('other calls are new ones, also where a value looks like an old letter', () => {
  for (const words of [
    ['sabre'],
    ['--help'],
    ['--set', 'x'],
    ['sabre', 'a', '--until', '-c'],
    ['sabre', 'a', '--until=-c', '--key', '-k'],
    ['sabre', '--', '-s'],
    ['--no-wait', 'sabre', 'a'],
  ])
    assert.equal(form(...words), 'new', words.join(' '));
});

test('an old letter beside a new word is neither, wherever each stands', () => {
  assert.deepEqual(runForm(['sabre', 'a', '--until', 'x', '-k', 'mine']), {
    kind: 'mixed',
    letter: '-k',
    word: '--until',
  });
  assert.equal(form('-s', 'sabre', '-c', 'x', '--json'), 'mixed');
  assert.equal(form('-r', '--no-wait', '-s', 'sabre'), 'mixed');
});

function wish(words: string[], texts: Record<string, string> = {}, flags: string[] = []) {
  return runWish({ words, texts: new Map(Object.entries(texts)), flags: new Set(flags) }, {});
}

test('target, files and options become a plan; what is not said is the lab’s', () => {
  const { target, plan } = wish(['p', 'a', 'b'], { until: 'x', 'fail-on': 'y', timeout: '5m' }, ['keep-on']);
  assert.equal(target, 'p');
  assert.deepEqual(
    { files: plan.files, until: plan.endText, failOn: plan.errorText, limit: plan.timeoutSeconds },
    { files: ['a', 'b'], until: 'x', failOn: 'y', limit: 300 },
  );
  assert.equal(plan.keepOn, true);
  const bare = wish(['p', 'a']);
  assert.deepEqual(
    [bare.plan.endText, bare.plan.errorText, bare.plan.timeoutSeconds, bare.wish.key, bare.wish.waitSeconds],
    ['', '', -1, '0', undefined],
  );
});

test('what makes no sense is told with an example or the way out', () => {
  const refused = (act: () => unknown, message: RegExp) =>
    assert.throws(act, { code: 'BAD_REQUEST', message });
  refused(() => wish([]), /Which board or pool.*mq run sabre kernel\.elf --until/);
  refused(() => wish(['sabre']), /Which files are to run on sabre\?.*--until/);
  refused(() => wish(['b', 'f'], { timeout: '0' }), /leaves no time/);
  refused(() => wish(['b', 'f'], { timeout: 'soon' }), /--timeout takes a time/);
  refused(() => wish(['b', 'f'], { dtb: 'd' }), /add --linux/);
  refused(() => wish(['b', 'f'], {}, ['detach', 'keep-on']), /not with --detach/);
  refused(() => wish(['b', 'f'], { log: 'l' }, ['detach']), /--detach writes no --log/);
  refused(() => wish(['b', 'f'], { wait: '1m' }, ['no-wait']), /not both/);
});

const ended: JobView = {
  id: 81,
  state: 'ended',
  target: 'p',
  board: 'sabre',
  user: 'ana',
  key: '0',
  set: '',
  files: [],
  startedAt: 1_000,
  endedAt: 63_400,
  verdict: 'lab-fault',
  detail: 'the relay does not answer.',
};

test('an end is one line for people and one object for programs', () => {
  const end = { view: ended, message: undefined, waitedMs: 2_340, logPath: 'c.log' };
  assert.equal(
    endText(end),
    'job 81 on sabre: a fault of the lab, not of its image (the relay does not answer). Waited 2.3 s, ran 1 min 2 s. Console: c.log, mq logs 81',
  );
  assert.deepEqual(endJson(end), {
    job: 81,
    board: 'sabre',
    verdict: 'lab-fault',
    exit: 3,
    detail: 'the relay does not answer.',
    waitedSeconds: 2.3,
    ranSeconds: 62.4,
    log: 'c.log',
  });
  assert.match(endText({ ...end, message: 'ben released the lock.' }), /\(ben released the lock\)\. Waited/);
});

test('the page has one row for each exit code, with its verdicts and errors', () => {
  const page = readFileSync(new URL('../../docs/command-line.md', import.meta.url), 'utf8');
  const table = page.split('## Exit codes')[1]?.split('\n## ')[0] ?? '';
  const words = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word).sort();
  const rows = table.match(/^\| \d .*$/gm)?.map((line) => {
    const [, code, , verdicts, errors] = line.split('|');
    return [Number(code), words(verdicts), words(errors)];
  });
  const ofCode = (entries: [string, number][], code: number) =>
    entries.flatMap(([word, exit]) => (exit === code ? [word] : [])).sort();
  const errors = Object.entries(errorClasses).map(([code, { exit }]): [string, number] => [code, exit]);
  assert.deepEqual(
    rows,
    Object.values(exitCodes).map((code) => [
      code,
      ofCode(Object.entries(exitOfVerdict), code),
      ofCode(errors, code),
    ]),
  );
});
