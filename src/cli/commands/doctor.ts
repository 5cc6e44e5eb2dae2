// `mq doctor`: whether everything is well between here and the boards, and what to do where it is not.
import type { Check } from '../doctor/judge.ts';
import { look } from '../doctor/look.ts';
import { exitCodes } from '../exit-codes.ts';
import { noWords } from '../options.ts';
import { escapeText } from '../terminal/escape.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jsonLines, runCommand } from './command.ts';

const options = { json: { kind: 'flag' } } as const;

export function doctor(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('doctor', argv, terminal, options, async ({ options, connect }) => {
    noWords('doctor', options.words);
    const isJson = options.flags.has('json');
    const paint = paintFor(terminal.hasColour(terminal.stdout));
    const checks: Check[] = [];
    // Each is told as it is found: the next may take a while.
    for await (const check of look(options.texts.get('server'), () => connect({ readsOnly: true }))) {
      checks.push(check);
      if (!isJson) terminal.print(checkLines(check, paint));
    }
    const ok = checks.every(({ state }) => state !== 'trouble');
    if (isJson) terminal.print(jsonLines({ ok, checks }));
    return ok ? exitCodes.done : exitCodes.failed;
  });
}

/** `TROUBLE  disk: 100 MB of 20 GB are free …`, and below it what to do. */
export function checkLines({ name, state, what, fix }: Check, paint: Paint): string[] {
  const mark = { good: paint.green('ok'), note: paint.yellow('note'), trouble: paint.red('TROUBLE') }[state];
  const space = ' '.repeat(9 - { good: 2, note: 4, trouble: 7 }[state]);
  const lines = [`${mark}${space}${escapeText(`${name}: ${what}`)}`];
  return fix === undefined ? lines : [...lines, `         ${escapeText(fix)}`];
}
