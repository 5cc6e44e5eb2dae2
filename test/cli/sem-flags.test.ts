// `mq sem`: what its arguments ask for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSem, type SemRequest } from '../../src/cli/legacy/sem-flags.ts';
import { flagHint } from '../../src/cli/legacy/unusable.ts';

function parse(line: string, env: Record<string, string> = {}): SemRequest {
  return parseSem(line === '' ? [] : line.split(' '), env);
}

function linesOf(request: SemRequest): { lines: readonly string[]; usage: boolean; exit: number } {
  assert.equal(request.kind, 'unusable');
  const { lines, usage, exit } = request as Extract<SemRequest, { kind: 'unusable' }>;
  return { lines, usage, exit };
}

function wishOf(line: string, env?: Record<string, string>) {
  const request = parse(line, env);
  assert.ok(request.kind === 'wait', JSON.stringify(request));
  return request.wish;
}

test('every verb takes a name', () => {
  assert.deepEqual(parse('-info B'), { kind: 'info', target: 'B', server: undefined });
  assert.deepEqual(parse('-mr-info B'), { kind: 'mr-info', target: 'B', server: undefined });
  assert.deepEqual(parse('-wait B'), { kind: 'wait', target: 'B', wish: { key: '0' }, server: undefined });
  assert.deepEqual(parse('-cancel B -k x'), { kind: 'cancel', target: 'B', key: 'x', server: undefined });
  assert.deepEqual(parse('dumpall'), { kind: 'dumpall', server: undefined });
});

test('flags come in any order, before and behind the verb', () => {
  const wanted = { kind: 'signal', target: 'B', key: 'x', force: true, note: undefined, server: 'unix:/s' };
  for (const line of [
    '-f -signal B -k x --server unix:/s',
    '-k x --server unix:/s -signal B -f',
    '--server unix:/s -f -f -k x -signal B',
  ]) {
    assert.deepEqual(parse(line), wanted, line);
  }
});

test('the last verb and the last value count', () => {
  assert.deepEqual(parse('-wait A -k a -info B -k b'), { kind: 'info', target: 'B', server: undefined });
});

test('what stands behind -- is not looked at', () => {
  assert.deepEqual(parse('-info B -- -nonsense'), { kind: 'info', target: 'B', server: undefined });
});

test('-t N -w S is a wait of N times S seconds, for ever without -t or with a negative one', () => {
  assert.equal(wishOf('-wait B').waitSeconds, undefined);
  assert.equal(wishOf('-wait B -t -1 -w 8').waitSeconds, undefined);
  assert.equal(wishOf('-wait B -t 0').waitSeconds, 0);
  assert.equal(wishOf('-wait B -t 2 -w 1').waitSeconds, 2);
  assert.equal(wishOf('-w 60 -wait B -t 10').waitSeconds, 600);
  assert.equal(wishOf('-wait B -t 3').waitSeconds, 24);
  assert.equal(wishOf('-wait B -t 99999999999').waitSeconds, 31_536_000);
});

test('-T is a number of seconds', () => {
  assert.equal(wishOf('-wait B -T 1800').holdSeconds, 1800);
  assert.equal(wishOf('-wait B -T 0').holdSeconds, 0);
  assert.equal(wishOf('-wait B').holdSeconds, undefined);
});

test('-T with anything else is told before the name is looked at, and without usage', () => {
  for (const value of ['abc', '-5', '1.5', '', '1e3']) {
    assert.deepEqual(linesOf(parseSem(['-wait', 'nonsense', '-T', value], {})), {
      lines: ['-T <timeout> requires a positive integer'],
      usage: false,
      exit: 1,
    });
  }
});

test('keys are any text', () => {
  for (const key of ['a/b c', "it's", '(x)', 'a:b', '-f', '"', '', '$(reboot)']) {
    const request = parseSem(['-signal', 'B', '-k', key], {});
    assert.ok(request.kind === 'signal' && request.key === key && !request.force, key);
  }
});

test('an unknown flag, or a board without its verb, gets usage', () => {
  assert.deepEqual(linesOf(parse('-x -info B')), { lines: ['Unknown option -x'], usage: true, exit: 1 });
  assert.deepEqual(linesOf(parse('B')), { lines: ['Unknown option B'], usage: true, exit: 1 });
});

test('no verb gets usage, and so does help, with exit 1', () => {
  assert.deepEqual(linesOf(parse('')), { lines: ['Unknown usage'], usage: true, exit: 1 });
  assert.deepEqual(linesOf(parse('-k x')), { lines: ['Unknown usage'], usage: true, exit: 1 });
  assert.deepEqual(linesOf(parse('help')), { lines: [], usage: true, exit: 1 });
});

test('a verb without a name asks for the empty name, which the server does not know', () => {
  assert.deepEqual(parse('-info'), { kind: 'info', target: '', server: undefined });
});

test('values that can not be used get usage and say why', () => {
  for (const line of ['-wait B -t abc', '-wait B -w x', '-wait B --priority urgent', '-wait B -k']) {
    const request = parse(line);
    assert.ok(request.kind === 'unusable' && request.usage && request.problem, line);
  }
});

test('a CI run is a set, unless one is given', () => {
  assert.equal(wishOf('-wait B', { GITHUB_RUN_ID: '42' }).set, '42');
  assert.equal(wishOf('-wait B', { CI_PIPELINE_ID: '7' }).set, '7');
  assert.equal(wishOf('-wait B', { BUILD_TAG: 'jenkins-x-3' }).set, 'jenkins-x-3');
  assert.equal(wishOf('-wait B --set mine', { GITHUB_RUN_ID: '42' }).set, 'mine');
  assert.equal(wishOf('-wait B', { GITHUB_RUN_ID: '' }).set, undefined);
});

test('the newer flags reach the wish', () => {
  assert.deepEqual(parseSem(['-wait', 'B', '--priority', 'low', '--note', 'a b', '--reuse'], {}), {
    kind: 'wait',
    target: 'B',
    server: undefined,
    wish: { key: '0', priority: 'low', note: 'a b', reuse: true },
  });
});

test('a flag that was mistyped is named, and so is the verb that a board lacks', () => {
  assert.match(flagHint('sem', '-singal'), /Did you mean -signal\?/);
  assert.match(flagHint('run', '--bitsream'), /Did you mean --bitstream\?/);
  assert.match(flagHint('sem', 'sabre'), /-wait sabre/);
  assert.doesNotMatch(flagHint('run', '-x'), /Did you mean/);
});
