// `mq run`: what its arguments ask for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRun, type RunRequest } from '../../src/cli/legacy/run-flags.ts';
import type { Unusable } from '../../src/cli/legacy/sem-flags.ts';
import { fileOrderWarning } from '../../src/cli/run/job-files.ts';

const isFile = (path: string) => !path.startsWith('missing');

function parse(...argv: string[]): RunRequest | Unusable {
  return parseRun(argv, { env: {}, isFile });
}

function run(...argv: string[]): RunRequest {
  const request = parse(...argv);
  assert.ok(request.kind === 'run', JSON.stringify(request));
  return request;
}

function refused(...argv: string[]): Unusable {
  const request = parse(...argv);
  assert.ok(request.kind === 'unusable', JSON.stringify(request));
  return request;
}

test('every flag is heard, in any order', () => {
  const request = run(
    ...[
      '-f',
      'a b.elf',
      '-l',
      'out.log',
      '-d',
      '300',
      '-e',
      'abort',
      '-k',
      'K',
      '-n',
      '-a',
      '-L',
      '-b',
      'x.dtb',
    ],
    ...[
      '--bitstream',
      'f.bit',
      '-w',
      '2',
      '-t',
      '3',
      '-c',
      'done',
      '-s',
      'B',
      '-f',
      'c.elf',
      '--server',
      'unix:/s',
    ],
  );
  assert.deepEqual(request, {
    kind: 'run',
    target: 'B',
    what: 'image',
    files: ['a b.elf', 'c.elf'],
    dtb: 'x.dtb',
    bitstream: 'f.bit',
    linux: true,
    endText: 'done',
    errorText: 'abort',
    timeoutSeconds: 300,
    keepOn: true,
    ownLock: true,
    logPath: 'out.log',
    wish: { key: 'K', waitSeconds: 6 },
    server: 'unix:/s',
  });
});

test('what is not said has its old default', () => {
  const { wish, timeoutSeconds, endText, errorText, keepOn, ownLock, linux } = run(
    '-s',
    'B',
    '-c',
    '',
    '-f',
    'f',
  );
  assert.deepEqual(
    { wish, timeoutSeconds, endText, errorText, keepOn, ownLock, linux },
    {
      wish: { key: '0' },
      timeoutSeconds: -1,
      endText: '',
      errorText: '',
      keepOn: false,
      ownLock: false,
      linux: false,
    },
  );
});

test('-r is a reservation with or without -c, either way round, and needs no -f', () => {
  for (const argv of [
    ['-s', 'B', '-r'],
    ['-s', 'B', '-r', '-c', 'X'],
    ['-c', 'X', '-r', '-s', 'B'],
  ]) {
    assert.equal(run(...argv).what, 'reserve', argv.join(' '));
  }
});

test('no board, neither -c nor -r, or a second -c gets usage', () => {
  for (const argv of [
    ['-c', 'X', '-f', 'f'],
    ['-s', 'B', '-f', 'f'],
    ['-s', 'B', '-c', 'X', '-c', 'Y'],
    ['-s', 'B', '-c', '', '-c', 'Y'],
    [],
  ]) {
    const { lines, usage, exit } = refused(...argv);
    assert.deepEqual({ lines, usage, exit }, { lines: [], usage: true, exit: 1 }, argv.join(' '));
  }
});

test('help gets usage with exit 0', () => {
  const { lines, usage, exit } = refused('help');
  assert.deepEqual({ lines, usage, exit }, { lines: [], usage: true, exit: 0 });
});

test('a missing file is told without usage, by its own words for a dtb', () => {
  assert.deepEqual(refused('-f', 'missing x').lines, [
    'File "missing x" either does not exist, or is not considered a valid file',
  ]);
  assert.deepEqual(refused('-b', 'missing').lines, [
    'dtb file "missing" either does not exist, or is not considered a valid file',
  ]);
  assert.equal(refused('-f', 'missing').usage, false);
});

test('the first complaint in the order of the flags is the only one', () => {
  assert.deepEqual(refused('-f', 'missing', '--nonsense').lines.length, 1);
  assert.match(refused('-f', 'missing', '--nonsense').lines[0] ?? '', /^File/);
  assert.deepEqual(refused('--nonsense', '-f', 'missing').lines, ['Unknown option --nonsense']);
});

test('an unknown flag or a stray word gets usage', () => {
  assert.deepEqual(refused('-s', 'B', 'word').lines, ['Unknown option word']);
  assert.equal(refused('-s', 'B', '-q').unknownFlag, '-q');
});

test('-d takes seconds, and -1 or any negative number is no limit', () => {
  assert.equal(run('-s', 'B', '-c', 'x', '-d', '-1').timeoutSeconds, -1);
  assert.equal(run('-s', 'B', '-c', 'x', '-d', '-7').timeoutSeconds, -1);
  assert.equal(run('-s', 'B', '-c', 'x', '-d', '0').timeoutSeconds, 0);
  assert.equal(run('-s', 'B', '-c', 'x', '-d', '1.5').timeoutSeconds, 1.5);
  assert.match(refused('-s', 'B', '-c', 'x', '-d', 'soon').problem ?? '', /-d takes seconds/);
});

test('-T is checked as for sem, and a value that is missing is told', () => {
  assert.deepEqual(refused('-s', 'B', '-r', '-T', 'x').lines, ['-T <timeout> requires a positive integer']);
  assert.match(refused('-s', 'B', '-r', '-l').problem ?? '', /-l needs a value/);
});

test('values may look like flags', () => {
  assert.equal(run('-s', 'B', '-c', '-n', '-k', '-r').endText, '-n');
  assert.equal(run('-s', 'B', '-c', '-n', '-k', '-r').what, 'image');
});

test('a kernel that stands second earns a warning, and only that', () => {
  assert.match(fileOrderWarning(['app.elf', 'x/kernel.elf']) ?? '', /kernel comes first/);
  assert.equal(fileOrderWarning(['x/kernel.elf', 'app.elf']), undefined);
  assert.equal(fileOrderWarning(['kernel/app.elf', 'b.elf']), undefined);
  assert.equal(fileOrderWarning(['kernel-a', 'kernel-b']), undefined);
  assert.equal(fileOrderWarning(['kernel.elf']), undefined);
});
