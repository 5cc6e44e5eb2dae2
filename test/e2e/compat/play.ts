// Plays one case in one way on a lane, and compares all that it promises.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LockView } from '../../../src/protocol/schema.ts';
import type { Lab } from '../harness/lab.ts';
import type { Running } from '../harness/running.ts';
import { nobody } from '../harness/users.ts';
import type { Case, Lock, Step } from './case.ts';
import { clear, fill, type Lane, partOf } from './lane.ts';
import type { Way } from './way.ts';

const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{9} \+0000`;

export interface Place {
  readonly lab: Lab;
  readonly lane: Lane;
  readonly way: Way;
}

export async function play(one: Case, place: Place): Promise<void> {
  const { lab, lane, way } = place;
  try {
    for (const lock of one.given ?? []) await take(lock, place);
    const journal = (await lane.a.journal()).length;
    const words = wordsOf(one.words).map((word) => fill(word, lane));
    const command = way.start(words, {
      ...(one.stdin && { stdin: one.stdin }),
      reachesNone: one.server === 'none',
    });
    for (const step of one.meanwhile ?? []) await doStep(step, command, place);
    const { code, bytes, stderr } = await command.ended;
    const wanted = one.matches ?? exactly(one.stdout, place);
    assert.match(bytes.toString(one.rows.includes('run 32') ? 'latin1' : 'utf8'), wanted);
    assert.equal(code ?? -1, one.exit, `${stderr}`);
    if (one.stderr !== 'any') assert.equal(stderr, '');
    await compareAfter(one, place, journal);
  } finally {
    await clear(lab, lane);
  }
}

function wordsOf(words: Case['words']): readonly string[] {
  if (typeof words !== 'string') return words;
  return words.split(' ').filter((word) => word !== '');
}

function exactly(lines: readonly string[], { lane, way }: Place): RegExp {
  const text = fill(lines.map((line) => `${line}\n`).join(''), lane, { host: way.host });
  return new RegExp(`^${RegExp.escape(text).replaceAll(RegExp.escape('{time}'), time)}$`);
}

async function take({ board, key, words = '', byOther }: Lock, { lab, lane }: Place): Promise<void> {
  const call = ['sem', '-t', '0', '-wait', fill(`{${board}}`, lane), ...wordsOf(words)];
  const all = key === undefined ? call : [...call, '-k', key];
  await lab.expect(all, { exit: 0, stdout: '' }, byOther ? { as: nobody } : {});
}

async function doStep(step: Step, command: Running, { lab, lane }: Place): Promise<void> {
  if ('run' in step) {
    const { code, stdout } = await lab.run(wordsOf(step.run).map((word) => fill(word, lane)));
    assert.match(stdout, step.stdout ?? /^$/);
    assert.equal(code, 0, step.run);
  } else if ('signal' in step) {
    command.kill(step.signal);
    if (step.signal === 'SIGKILL') await command.ended;
  } else if ('type' in step) command.type(step.type);
  else if ('end' in step) {
    if (step.end === 'input') command.endInput();
    else command.closeStdout();
  } else if (step.until === 'printed') await command.printed(step.text);
  else if (step.until === 'tickets') {
    const isSo = (count: number) => count === step.waiting;
    await lab.until('tickets wait', (status) => isSo(partOf(status, lane).queue.length));
  } else {
    const board = fill(`{${step.board}}`, lane);
    await lab.until('it is locked', ({ boards }) => boards.some((view) => view.board === board && view.lock));
  }
}

function holderOf(lock: LockView | undefined): string {
  if (lock === undefined) return 'FREE';
  return ['LOCKED', lock.user, ...(lock.key === '0' || lock.key === '' ? [] : [lock.key])].join(' ');
}

async function compareAfter(one: Case, { lab, lane }: Place, journal: number): Promise<void> {
  const { boards } = await lab.until('the server answers', () => true);
  for (const [letter, state] of Object.entries(one.left ?? {})) {
    const board = fill(`{${letter}}`, lane);
    const lock = boards.find((view) => view.board === board)?.lock;
    assert.equal(holderOf(lock), fill(state, lane), board);
  }
  if (one.journal) {
    const kinds = (await lane.a.journal()).slice(journal).map((line) => line.split(' ')[0]);
    assert.deepEqual(
      kinds.filter((kind) => kind !== 'end'),
      one.journal,
    );
  }
  if (one.log) {
    const log = await readFile(join(lab.folder, 'open', fill(one.log.name, lane)), 'latin1');
    assert.ok(one.log.holds === '' ? log === '' : log.includes(one.log.holds), JSON.stringify(log));
  }
  if (one.called) {
    const board = one.stdout.some((line) => line.includes('{D}')) ? lane.d : lane.a;
    const calls = (await board.calls()).filter((line) => !line.includes('--shutdown'));
    assert.match(calls.at(-1) ?? '', one.called);
  }
}
