// From a job's end to what `run` prints and returns; and why no board can take a job.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { misfitLine } from '../../src/cli/legacy/misfit.ts';
import { exitCodeOf, verdictLine, verdictText } from '../../src/cli/legacy/verdict.ts';
import { shownPart } from '../../src/cli/run/job-console.ts';
import type { LabListing } from '../../src/protocol/lab.ts';

const verdicts = ['completed', 'error-text', 'timed-out', 'boot-failed', 'lab-fault', 'cancelled'] as const;

test('only a job that completed returns 0', () => {
  assert.deepEqual(
    verdicts.map((verdict) => exitCodeOf({ verdict })),
    [0, 1, 1, 1, 1, 1],
  );
  assert.equal(exitCodeOf({}), 1);
});

test('a board’s own program decides by its exit code', () => {
  assert.equal(exitCodeOf({ verdict: 'completed', exitCode: 0 }), 0);
  assert.equal(exitCodeOf({ verdict: 'completed', exitCode: 7 }), 7);
  assert.equal(exitCodeOf({ verdict: 'error-text', exitCode: 42 }), 42);
  assert.equal(exitCodeOf({ verdict: 'lab-fault', exitCode: 0 }), 1);
  assert.equal(exitCodeOf({ verdict: 'error-text', exitCode: 256 + 3 }), 3);
});

test('clients find time-out and boot time-out by their lines, and nothing for another end', () => {
  assert.deepEqual(
    verdicts.map((verdict) => verdictLine({ verdict })),
    [undefined, undefined, '[[Timeout]]', '[[Boot timeout]]', undefined, undefined],
  );
});

test('a fault that is not the image’s doing counts as trouble, and says why', () => {
  const job = { id: 8, board: 'pc1', detail: 'the relay does not answer' };
  assert.deepEqual(verdictText({ ...job, verdict: 'lab-fault' }, undefined), {
    text: 'Job 8 on pc1 was ended by a fault of the lab, not of its image: the relay does not answer.',
    isTrouble: true,
  });
  assert.equal(verdictText({ ...job, verdict: 'error-text' }, undefined)?.isTrouble, false);
  assert.equal(verdictText({ ...job, verdict: 'completed' }, undefined), undefined);
  assert.match(
    verdictText({ ...job, verdict: 'cancelled' }, 'ben released the lock')?.text ?? '',
    /ben released/,
  );
});

test('the console is shown up to the end of the text, wherever a piece ends', () => {
  const shown = (offset: number, matchEnd: number | undefined) =>
    Buffer.from(shownPart({ offset, bytes: Buffer.from('abcdef') }, matchEnd)).toString();
  assert.equal(shown(10, undefined), 'abcdef');
  assert.equal(shown(10, 16), 'abcdef');
  assert.equal(shown(10, 13), 'abc');
  assert.equal(shown(10, 10), '');
  assert.equal(shown(10, 4), '');
});

const range = (min: number, max: number) => ({ min, max });
const lab: LabListing = {
  boards: [
    board('pc1', { plain: range(1, 2), aliases: ['oldpc'] }),
    board('zcu102', { plain: range(1, 1), linux: range(2, 2), takesLinux: true, takesDtb: true }),
    board('sabre', { plain: range(1, 1) }),
  ],
  pools: [{ name: 'p', boards: ['sabre', 'pc1'], spread: false }],
};

function board(
  name: string,
  more: {
    plain: { min: number; max: number };
    linux?: { min: number; max: number };
    aliases?: string[];
    takesLinux?: boolean;
    takesDtb?: boolean;
  },
) {
  const { plain, linux = plain, aliases = [], takesLinux = false, takesDtb = false } = more;
  return { name, aliases, attributes: {}, files: { plain, linux }, takesLinux, takesDtb };
}

test('a job that a board can not take is told in the old words', () => {
  const plain = { count: 1, linux: false, dtb: false };
  assert.equal(misfitLine(lab, 'sabre', plain), undefined);
  assert.equal(
    misfitLine(lab, 'sabre', { ...plain, count: 2 }),
    'Wrong number of files specified for system sabre',
  );
  assert.equal(
    misfitLine(lab, 'oldpc', { ...plain, count: 3 }),
    'Wrong number of files specified for system pc1',
  );
  assert.equal(
    misfitLine(lab, 'p', { ...plain, count: 3 }),
    'Wrong number of files specified for system sabre',
  );
  assert.equal(
    misfitLine(lab, 'sabre', { ...plain, linux: true }),
    'System sabre cannot boot Linux over the network.',
  );
  assert.equal(misfitLine(lab, 'sabre', { ...plain, dtb: true }), 'System sabre does not accept a dtb');
  assert.equal(
    misfitLine(lab, 'zcu102', { ...plain, dtb: true }),
    'A dtb may only be supplied when booting a linux image over the network.',
  );
  assert.equal(misfitLine(lab, 'zcu102', { count: 2, linux: true, dtb: true }), undefined);
});
