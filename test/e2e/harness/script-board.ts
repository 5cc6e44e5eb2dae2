// A lab's own board program for tests: a shell script that notes how it is called and then runs the job's first file
// as a shell script. So a test writes as the 'image' what the board is to do.
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The program reads its words as the old ones did. It keeps a journal of lines `start PID`, `end PID`, `off`, and
 * `overlap PID` where a process that an earlier job noted with `mark` still lives when a job or a power-off begins.
 * The image sees $linux, $dtb, $bitstream, $seconds, $end_text, $error_text, $log, $kernel, $root_server, $keep_on.
 */
const program = `#!/bin/sh
board=\${0%.program}
# By this the harness finds all that a job started, should it be left over.
export E2E_BOARD="$board"
note() { printf '%s\\n' "$*" >> "$board.journal"; }
mark() { printf '%s\\n' "$1" >> "$board.marks"; }
# A process that has ended stays in the table until its parent looks, and its number goes to another, which may be a
# process of another board: neither is a life.
lives() {
  [ "$1" != $$ ] && kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status" && is_ours "$1"
}
is_ours() {
  grep -qsaF "E2E_BOARD=$board" "/proc/$1/environ" || grep -qsaF "$0" "/proc/$1/cmdline"
}
look_for_overlap() {
  [ -f "$board.marks" ] || return 0
  while read -r pid; do
    if lives "$pid"; then note "overlap $pid"; fi
  done < "$board.marks"
}
printf '%s' "$#" >> "$board.calls"
for word in "$@"; do printf ' <%s>' "$word" >> "$board.calls"; done
printf '\\n' >> "$board.calls"
look_for_overlap
if [ "$1" = --shutdown ]; then
  note off
  exit 0
fi
linux= dtb= bitstream= seconds= end_text= error_text= log= kernel= root_server= keep_on=
while [ $# -gt 0 ]; do
  case $1 in
    -L) linux=yes; shift; continue ;;
    -a) keep_on=yes; shift; continue ;;
    -i) shift; continue ;;
    -b) dtb=$2 ;;
    --bitstream) bitstream=$2 ;;
    -t) seconds=$2 ;;
    -c) end_text=$2 ;;
    -e) error_text=$2 ;;
    -l) log=$2 ;;
    -k) kernel=$2 ;;
    -u) root_server=$2 ;;
    *) echo "unknown word $1"; exit 99 ;;
  esac
  shift 2
done
note "start $$"
mark $$
trap 'note "end $$"' EXIT
. "$kernel"
`;

export interface ScriptBoard {
  /** For the lab's configuration. */
  readonly machine: { readonly driver: 'script'; readonly path: string };
  /** One line for each call: the number of words, then each in angle brackets. */
  readonly calls: () => Promise<string[]>;
  readonly journal: () => Promise<string[]>;
}

export async function makeScriptBoard(folder: string, name: string): Promise<ScriptBoard> {
  const path = join(folder, `${name}.program`);
  await writeFile(path, program);
  await chmod(path, 0o755);
  return {
    machine: { driver: 'script', path },
    calls: () => readLines(join(folder, `${name}.calls`)),
    journal: () => readLines(join(folder, `${name}.journal`)),
  };
}

async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
