// Where every command starts. Loads only what the command needs: most of the time of a short one is loading.
import { Terminal } from './terminal/terminal.ts';

type Command = (argv: readonly string[], terminal: Terminal, program: string) => Promise<number>;

/** The commands and where they are; a command's file is loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./legacy/run.ts')).run,
  sem: async () => (await import('./legacy/sem.ts')).sem,
};

async function main(): Promise<number> {
  const { stdout, stderr, env } = process;
  const terminal = new Terminal({ stdout, stderr, env });
  const program = env.MQ_ARGV0 || 'mq';
  const [name = '', ...rest] = process.argv.slice(2);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) return 1;
  const command = await load();
  return command(rest, terminal, program);
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

const exitCode = await main();
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(exitCode);
