// A checkout of a lab's old scripts: their lists, their locks by lockfile(1), and the programs of some boards.
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOptions, Lab } from './lab.ts';
import type { Running } from './running.ts';
import type { ScriptBoard } from './script-board.ts';

const fixtures = new URL('../../fixtures/', import.meta.url).pathname;

export class OldScripts {
  readonly folder: string;
  readonly locks: string;
  readonly #lab: Lab;

  private constructor(lab: Lab) {
    this.#lab = lab;
    this.folder = join(lab.folder, 'old scripts');
    this.locks = join(lab.folder, 'locks');
  }

  /** Makes it in the lab's folder, and the folder of the lock files, where every user may write. */
  static async make(lab: Lab): Promise<OldScripts> {
    const old = new OldScripts(lab);
    await mkdir(old.folder);
    await mkdir(old.locks);
    await chmod(old.locks, 0o777);
    const lists = {
      'system-tsv': 'system.tsv',
      'pool-tsv': 'pool.tsv',
      features: 'features.txt',
      systems: 'systems.txt',
    };
    for (const [name, file] of Object.entries(lists))
      await copyFile(join(fixtures, 'lab', file), join(old.folder, name));
    await copyFile(join(fixtures, 'old-scripts/mq.sh'), join(old.folder, 'mq.sh'));
    return old;
  }

  /** What the old scripts have built in. */
  get environment(): Record<string, string> {
    return { PATH: process.env.PATH ?? '/usr/bin:/bin', MQ_LOCKS: this.locks };
  }

  /** Puts the program of a board where `import` and the old scripts find it. */
  async addProgram(name: string): Promise<ScriptBoard> {
    const board = await this.#lab.scriptBoard(name);
    const program = `#!/bin/sh\nexec '${board.machine.path}' "$@"\n`;
    await this.#lab.file(`old scripts/${name}/reboot`, program, 0o755);
    return board;
  }

  /** Starts one of their commands. */
  mq(words: readonly string[], { as, ...options }: Pick<CommandOptions, 'as' | 'cwd'> = {}): Running {
    const ids = as === undefined ? {} : { uid: as.uid, gid: as.gid };
    return this.#lab.spawn(join(this.folder, 'mq.sh'), words, { ...options, ...ids, env: this.environment });
  }

  /** Runs one to its end; its exit code and what it printed. */
  async run(
    words: readonly string[],
    options: Pick<CommandOptions, 'as'> = {},
  ): Promise<[number | null, string]> {
    const { code, stdout } = await this.mq(words, options).ended;
    return [code, stdout];
  }
}
