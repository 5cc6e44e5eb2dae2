// The tests of one way: every case on its lanes, those that look at the whole lab alone, then the lists of a real lab.
import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { noOtherUsers } from '../harness/users.ts';
import type { Case, WayName } from './case.ts';
import { type Lane, laneCount, startLanes } from './lane.ts';
import { listCases } from './list-cases.ts';
import { play } from './play.ts';
import { runCases } from './run-cases.ts';
import { semCases } from './sem-cases.ts';
import { stopAndOwnCases } from './stop-cases.ts';
import { noWay, openWay } from './way.ts';

const fixtures = new URL('../../fixtures/lab/', import.meta.url).pathname;
const cases = [...semCases, ...runCases, ...stopAndOwnCases];

/** Why this case can't be played here; for `skip`. */
function whyNot(one: Case, name: WayName): string | false {
  const reason = one.not?.[name];
  if (reason !== undefined) return reason;
  return one.given?.some(({ byOther }) => byOther) ? noOtherUsers : false;
}

const title = ({ rows, name }: Pick<Case, 'rows' | 'name'>): string => `${rows.join(', ')}: ${name}`;

export async function testWay(name: WayName): Promise<void> {
  const skip = noWay(name);
  if (skip !== false) {
    test(`the old words, ${name}`, { skip }, () => undefined);
    return;
  }
  const { lab, lanes } = await startLanes({ after });
  const way = await openWay(name, lab, after);
  const free = new LaneQueue(lanes);

  describe(`the old words, ${name}`, { concurrency: laneCount }, () => {
    for (const one of cases.filter(({ alone }) => !alone)) {
      test(title(one), { skip: whyNot(one, name) }, async () => {
        const lane = await free.take();
        try {
          await play(one, { lab, lane, way });
        } finally {
          free.give(lane);
        }
      });
    }
  });

  describe(`what looks at the whole lab, ${name}`, () => {
    for (const one of cases.filter(({ alone }) => alone)) {
      test(title(one), { skip: whyNot(one, name) }, async () => {
        const lane = await free.take();
        await play(one, { lab, lane, way }).finally(() => free.give(lane));
      });
    }
  });

  test(`the lists of a real lab, ${name}`, async (t) => {
    await copyFile(`${fixtures}lab.yaml`, lab.configPath);
    assert.equal((await lab.run(['reload'])).code, 0);
    for (const { rows, name: list, words, file } of listCases) {
      await t.test(title({ rows, name: list }), async () => {
        const wanted = file === undefined ? await boardNames() : await readFile(fixtures + file, 'utf8');
        const { code, stdout, stderr } = await way.start(String(words).split(' '), {}).ended;
        assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: wanted, stderr: '' });
      });
    }
  });
}

async function boardNames(): Promise<string> {
  const rows = (await readFile(`${fixtures}system.tsv`, 'utf8')).trimEnd().split('\n').slice(1);
  return rows.map((row) => `${row.split('\t')[0]}\n`).join('');
}

/** Hands out lanes; there are as many as cases run at a time. */
class LaneQueue {
  readonly #free: Lane[];

  constructor(lanes: readonly Lane[]) {
    this.#free = [...lanes];
  }

  async take(): Promise<Lane> {
    const lane = this.#free.shift();
    assert.ok(lane, 'a lane is free');
    return lane;
  }

  give(lane: Lane): void {
    this.#free.push(lane);
  }
}
