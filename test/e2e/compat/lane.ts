// Where the cases run: one lab with a few lanes, each with boards of its own, so that several cases run at a time.
import assert from 'node:assert/strict';
import type { StatusView } from '../../../src/protocol/views.ts';
import { makeImage } from '../../../src/testing/images/make-image.ts';
import { Lab } from '../harness/lab.ts';
import type { ScriptBoard } from '../harness/script-board.ts';
import { me } from '../harness/users.ts';

export const laneCount = 3;
const letters = ['a', 'b', 'n', 'd', 'v'];
/** A name that a shell must not read. */
const rootTask = `root "t'ask`;
const everyLane = Array.from({ length: laneCount }, (_, index) => index + 1);

export interface Lane {
  readonly number: number;
  readonly a: ScriptBoard;
  readonly d: ScriptBoard;
}

/** A lab with its server and lanes, and the files that cases bring. */
export async function startLanes(
  cleaner: Parameters<typeof Lab.make>[0],
): Promise<{ lab: Lab; lanes: Lane[] }> {
  const lab = await Lab.make(cleaner);
  const boards: Record<string, object> = {};
  const pools: Record<string, readonly string[]> = {};
  const lanes: Lane[] = [];
  for (const number of everyLane) {
    const [a, b, n, d] = await Promise.all(
      letters.slice(0, 4).map((letter) => lab.scriptBoard(letter + number)),
    );
    assert.ok(a && b && n && d);
    lanes.push({ number, a, d });
    boards[`a${number}`] = { machine: a.machine, aliases: [`alias${number}`] };
    boards[`b${number}`] = { machine: b.machine };
    boards[`n${number}`] = { machine: n.machine, linux: true };
    boards[`d${number}`] = { machine: d.machine, linux: true, dtb: true, files: { default: 1, linux: 2 } };
    boards[`v${number}`] = { machine: { driver: 'v86' } };
    pools[`p${number}`] = [`a${number}`, `b${number}`];
  }
  await lab.configure({ boards, pools });
  await writeFiles(lab);
  await lab.startServer();
  return { lab, lanes };
}

async function writeFiles(lab: Lab): Promise<void> {
  const files: Record<string, string | Uint8Array> = {
    done: 'echo done\n',
    hang: 'echo ready; sleep 1000\n',
    talk: 'while echo line; do sleep 0.1; done\n',
    ask: 'echo ready; read -r word; echo "got $word"\n',
    'show files': 'cat "$dtb" "$bitstream" "$root_server"\n',
    'a dtb': 'this is the dtb\n',
    bits: 'these are the bits\n',
    [rootTask]: 'this is the root task\n',
    'kernel.img': '',
    'hello.elf': makeImage({ kind: 'hello' }),
    'hang.elf': makeImage({ kind: 'hang' }),
    'echo.elf': makeImage({ kind: 'echo' }),
    'a raw image.elf': makeImage({ kind: 'raw' }),
  };
  for (const exit of [1, 3, 255]) files[`exit-${exit}`] = `echo bad; exit ${exit}\n`;
  await Promise.all(Object.entries(files).map(([name, content]) => lab.file(`open/${name}`, content)));
}

/** Puts the lane's names into a text of a case. */
export function fill(text: string, lane: Lane, names: Readonly<Record<string, string>> = {}): string {
  const lines = (of: readonly string[], between: string) => of.join(between);
  const values: Record<string, string> = {
    ...Object.fromEntries(letters.map((letter) => [letter.toUpperCase(), letter + lane.number])),
    P: `p${lane.number}`,
    alias: `alias${lane.number}`,
    me: me.name,
    boards: lines(
      everyLane.flatMap((number) => letters.map((letter) => letter + number)),
      '\n',
    ),
    pools: lines(
      everyLane.map((number) => `p${number}`),
      ' ',
    ),
    ...names,
  };
  return text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The lane's part of the lab. */
export function partOf({ boards, queue }: StatusView, { number }: Lane) {
  const isOurs = (name: string) => /^[a-z]+(\d+)$/.exec(name)?.[1] === String(number);
  return {
    boards: boards.filter(({ board }) => isOurs(board)),
    queue: queue.filter(({ target }) => isOurs(target)),
  };
}

/** Releases what a case left, and resolves when the lane is free for the next. */
export async function clear(lab: Lab, lane: Lane): Promise<void> {
  const status = await lab.until('the server answers', () => true);
  for (const { board, lock } of partOf(status, lane).boards) if (lock) await lab.release(board);
  await lab.until('the lane is free', (now) => {
    const { boards, queue } = partOf(now, lane);
    return queue.length === 0 && boards.every(({ lock, state }) => lock === undefined && state !== 'ending');
  });
}
