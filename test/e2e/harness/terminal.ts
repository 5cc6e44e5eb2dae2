// Commands on a real terminal, by util-linux's `script`: what they write to stdout and stderr comes in one stream.
import { spawnSync } from 'node:child_process';

/** Why no terminal can be had; for `skip`. False where one can. */
export const noTerminal: string | false =
  spawnSync('script', ['--version']).status === 0
    ? false
    : "there is no program 'script' of util-linux, which Debian has in its package bsdutils";

/** The words by which `script` runs a command on a terminal, in the place of a shell; its exit code is the command's. */
export function onTerminal(words: readonly string[]): string[] {
  const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return ['--quiet', '--return', '--flush', '--command', `exec ${quoted}`, '/dev/null'];
}
