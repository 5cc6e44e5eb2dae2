// Where every command starts. Loads only what the command needs: most of the time of a short one is loading.
import { fstatSync } from 'node:fs';
import { escapeText } from './terminal/escape.ts';
import { Terminal } from './terminal/terminal.ts';

type Command = (argv: readonly string[], terminal: Terminal, program: string) => Promise<number>;

const list = (name: string) => async (): Promise<Command> =>
  (await import('./legacy/list-command.ts')).listCommand(name);

/** The commands; the file of one is loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run/run-form.ts')).run,
  sem: async () => (await import('./legacy/sem.ts')).sem,
  lock: async () => (await import('./commands/lock.ts')).lock,
  unlock: async () => (await import('./commands/unlock.ts')).unlock,
  with: async () => (await import('./commands/with.ts')).withLock,
  give: async () => (await import('./commands/give.ts')).give,
  steal: async () => (await import('./commands/steal.ts')).steal,
  extend: async () => (await import('./commands/extend.ts')).extend,
  status: async () => (await import('./commands/status.ts')).status,
  queue: async () => (await import('./commands/queue.ts')).queue,
  jobs: async () => (await import('./commands/jobs.ts')).jobs,
  console: async () => (await import('./commands/console.ts')).console,
  power: async () => (await import('./commands/power.ts')).power,
  logs: async () => (await import('./commands/logs.ts')).logs,
  cancel: async () => (await import('./commands/cancel.ts')).cancel,
  board: async () => (await import('./commands/board.ts')).board,
  reload: async () => (await import('./commands/reload.ts')).reload,
  systems: list('systems'),
  'system-tsv': list('system-tsv'),
  'pool-tsv': list('pool-tsv'),
  features: list('features'),
  server: async () => (await import('./commands/server.ts')).server,
  agent: async () => (await import('./commands/server.ts')).agent,
  import: async () => (await import('./commands/import.ts')).importLab,
  connect: async () => (await import('./commands/connect.ts')).connect,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  completion: async () => (await import('./commands/completion.ts')).completion,
  'check-config': async () => (await import('./commands/check-config.ts')).checkConfig,
};

async function main(terminal: Terminal): Promise<number> {
  const program = process.env.MQ_ARGV0 || 'mq';
  const { name, rest } = splitCommand(process.argv.slice(2));
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return (await load())(rest, terminal, program);
  const { commandHelp, isCommand, nearestCommand, usageLines } = await import('./help/help.ts');
  if (['help', '--help', '-h'].includes(name)) {
    const [about = ''] = rest;
    terminal.print(isCommand(about) ? commandHelp(about, program) : usageLines(program));
    return 0;
  }
  if (name === '--version' || name === '-V') {
    const { version } = await import('./version.ts');
    terminal.print([`mq ${version}`]);
    return 0;
  }
  terminal.print(usageLines(program));
  const nearest = name === '' ? undefined : nearestCommand(name);
  if (name !== '') {
    terminal.hint(
      `\nThere is no command ${escapeText(name)}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`}`,
    );
  }
  return 1;
}

/** `mq --server ADDR COMMAND` is the same as `mq COMMAND --server ADDR`. */
function splitCommand(argv: readonly string[]): { name: string; rest: string[] } {
  const [first = '', second = '', name = '', ...rest] = argv;
  if (first === '--server') return { name, rest: ['--server', second, ...rest] };
  if (first.startsWith('--server=')) {
    return { name: second, rest: ['--server', first.slice('--server='.length), ...argv.slice(2)] };
  }
  return { name: first, rest: argv.slice(1) };
}

/** Everything that was written is out before the process ends, or its reader is gone. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    }
  });
}

/** Whether stdout and stderr were joined, as by `2>&1`. */
function isOneFile(): boolean {
  try {
    const [out, err] = [fstatSync(1), fstatSync(2)];
    return out.dev === err.dev && out.ino === err.ino;
  } catch {
    return false;
  }
}

const { stdout, stderr, env } = process;
// A reader that went away is no reason to crash; whoever minds listens for it too.
for (const stream of [stdout, stderr]) stream.on('error', () => {});
process.exitCode = await main(new Terminal({ stdout, stderr, env, isOneFile }));
await Promise.all([flushed(stdout), flushed(stderr)]);
process.exit();
