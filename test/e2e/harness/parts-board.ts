// A board by parts for tests: its power is a file that shell scripts write, and its console a program that says when it
// boots and gives back what is typed.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const program = (folder: string, lines: readonly string[]): string =>
  ['#!/bin/sh', `cd '${folder}' || exit 9`, ...lines, ''].join('\n');

export interface PartsBoard {
  /** For the lab's configuration. */
  readonly settings: object;
  /** What was done to its power: `on` and `off`, in order. */
  readonly switched: () => Promise<string[]>;
  /** From now on the power does not answer. */
  readonly breakPower: () => Promise<void>;
}

export async function makePartsBoard(labFolder: string, name: string): Promise<PartsBoard> {
  const folder = join(labFolder, `${name}.parts`);
  await mkdir(folder);
  const place = async (file: string, lines: readonly string[]): Promise<string> => {
    const path = join(folder, file);
    await writeFile(path, program(folder, lines));
    await chmod(path, 0o755);
    return path;
  };
  await writeFile(join(folder, 'boots'), '');
  const refuse = '[ -f broken ] && { echo no answer from the outlet; exit 1; }';
  const note = (state: string) => [refuse, `echo ${state} >> switched`, `echo ${state} > state`];
  const powerOn = await place('power-on', [...note('on'), `echo ${name} boots >> boots`]);
  // A new file, from whose beginning the console goes on: what a board says as it boots is never missed.
  const powerOff = await place('power-off', [...note('off'), 'rm -f boots', ': > boots']);
  const status = await place('status', [refuse, 'cat state']);
  const console = await place('console', [
    'echo console open',
    'tail -n +1 -F boots 2>/dev/null &',
    'while read -r line; do echo "you said $line"; done',
  ]);
  return {
    settings: {
      power: { driver: 'command', power_on: [powerOn], power_off: [powerOff], status: [status], retries: 0 },
      console: { driver: 'exec', command: [console] },
      boot: { driver: 'copy', to: join(folder, 'image') },
    },
    switched: () => readLines(join(folder, 'switched')),
    breakPower: () => writeFile(join(folder, 'broken'), ''),
  };
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
