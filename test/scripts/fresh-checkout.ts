// A checkout in a folder of its own, with the scripts under test and stand-ins on PATH for what they call.

import { type ExecFileException, execFile } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { TestContext } from 'node:test';

const root = resolve(import.meta.dirname, '../..');

// All that the scripts may call beside node, npm and flock; a test sees to it that this list is enough.
const tools = 'cat cmp cp dirname env find head ln mkdir mv readlink rm rmdir sed sh sleep tail uname'.split(
  ' ',
);

export type Outcome = { exitCode: number; stdout: string; stderr: string };

export class FreshCheckout {
  readonly folder: string;
  readonly #bin: string;

  constructor(t: TestContext) {
    mkdirSync(join(root, '.tmp'), { recursive: true });
    this.folder = mkdtempSync(join(root, '.tmp/checkout with space-'));
    t.after(() => rmSync(this.folder, { recursive: true }));
    this.#bin = join(this.folder, 'path');
    mkdirSync(this.#bin);
    for (const name of tools) symlinkSync(findTool(name), join(this.#bin, name));
    mkdirSync(join(this.folder, 'scripts'));
    mkdirSync(join(this.folder, 'src'));
    for (const name of ['scripts/prepare.sh', 'scripts/run.sh', 'scripts/node.sh', 'scripts/node', 'bin']) {
      cpSync(join(root, name), join(this.folder, name), { recursive: true, verbatimSymlinks: true });
    }
    this.write('package-lock.json', '{}');
    this.write('scripts/check.ts', "console.log('checked', process.argv.slice(2), process.version);");
    this.write('scripts/test.ts', "console.log('tested');");
    this.write(
      'scripts/build.ts',
      `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
       mkdirSync('dist', { recursive: true });
       writeFileSync('dist/mq.js', 'console.log(process.env.MQ_ARGV0, process.argv.slice(2))');
       writeFileSync('dist/built-at', '');
       appendFileSync('builds.log', 'built\\n');`,
    );
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  read(path: string): string {
    const file = join(this.folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Puts a program on PATH: a shell script, or a link to one of this machine. */
  addCommand(name: string, script: string | { link: string }): void {
    const path = join(this.#bin, name);
    rmSync(path, { force: true });
    if (typeof script !== 'string') return symlinkSync(script.link, path);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  addOldNode(): void {
    this.addCommand('node', 'case $1 in -v) echo v20.1.0 ;; *) exit 1 ;; esac');
  }

  addNewNode(): void {
    this.addCommand('node', { link: process.execPath });
  }

  /** npm that notes its calls and brings, slowly, this very Node, and an npm to match that notes its calls too. */
  addNpm(): void {
    this.write(
      'npm-cli.js',
      `const { appendFileSync, mkdirSync } = require('node:fs');
       appendFileSync('${this.folder}/npm-calls.log', process.cwd() + ' by the new npm: ' + process.argv[2] + '\\n');
       mkdirSync('node_modules', { recursive: true });`,
    );
    this.addCommand(
      'npm',
      `[ "$1" != config ] || exit 0
       echo "$PWD: $*" >>"${this.folder}/npm-calls.log"
       sleep 0.2
       rm -rf node_modules
       for arch in x64 arm64; do
         mkdir -p node_modules/node-linux-$arch/bin
         ln -s "${process.execPath}" node_modules/node-linux-$arch/bin/node
       done
       mkdir -p node_modules/npm/bin
       cp "${this.folder}/npm-cli.js" node_modules/npm/bin/`,
    );
  }

  addFlock(): void {
    this.addCommand('flock', { link: findTool('flock') });
  }

  /** In which folders, from the root of the checkout, npm was called, and whether it was the one just brought. */
  npmCalls(): string[] {
    const calls = this.read('npm-calls.log')
      .split('\n')
      .filter((line) => line !== '');
    return calls.map((line) => line.slice(0, line.indexOf(': ')).replace(this.folder, '.'));
  }

  /** Runs a program of the checkout with nothing on PATH but the commands that were added. */
  run(program: string, args: readonly string[] = [], cwd = '.'): Promise<Outcome> {
    return new Promise((settle) => {
      const options = { cwd: join(this.folder, cwd), env: { PATH: this.#bin }, timeout: 30_000 };
      execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) => {
        settle({ exitCode: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
      });
    });
  }

  runTask(...args: string[]): Promise<Outcome> {
    return this.run(join(this.#bin, 'sh'), ['scripts/run.sh', ...args]);
  }

  append(path: string, text: string): void {
    appendFileSync(join(this.folder, path), text);
  }
}

function findTool(name: string): string {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin']) {
    if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
  }
  throw new Error(`${name} is not on PATH`);
}
