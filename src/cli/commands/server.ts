// `mq server` and `mq agent`: from their options to the lab's processes.
import { join, resolve } from 'node:path';
import { parseDurationSeconds } from '../config/units.ts';
import { defaultSocketPath } from '../connect/address.ts';
import { misuse, noWords } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';

const stateFolderDefault = '/var/lib/machine-queue';
const logLevels = ['debug', 'info', 'warn', 'error'] as const;

const serverOptions = {
  config: { kind: 'text', short: 'c' },
  state: { kind: 'text' },
  socket: { kind: 'text' },
  drain: { kind: 'text' },
  'accept-clock': { kind: 'flag' },
  'wait-for-agent': { kind: 'flag' },
  'log-level': { kind: 'text' },
} as const;

export function server(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('server', argv, terminal, serverOptions, async ({ options }) => {
    noWords('server', options.words);
    const configPath = options.texts.get('config');
    if (configPath === undefined)
      throw misuse('server', 'Which lab? Give its configuration with --config FILE.');
    const level = options.texts.get('log-level') ?? 'info';
    const logLevel = logLevels.find((known) => known === level);
    if (!logLevel) throw misuse('server', `--log-level is one of ${logLevels.join(', ')}, not '${level}'.`);
    const { runServer } = await import('../server/server.ts');
    return runServer({
      configPath,
      // The agent and other processes of ours have working folders of their own.
      stateFolder: resolve(options.texts.get('state') ?? stateFolderDefault),
      socketPath: options.texts.get('socket') ?? defaultSocketPath,
      drainSeconds: durationOf('server', 'drain', options.texts.get('drain') ?? '60s'),
      acceptClock: options.flags.has('accept-clock'),
      waitsForAgent: options.flags.has('wait-for-agent'),
      logLevel,
    });
  });
}

const agentOptions = { state: { kind: 'text' }, linger: { kind: 'text' } } as const;

export function agent(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('agent', argv, terminal, agentOptions, async ({ options }) => {
    noWords('agent', options.words);
    const { agentCommand } = await import('./agent.ts');
    return agentCommand({
      folder: resolve(options.texts.get('state') ?? join(stateFolderDefault, 'agent')),
      lingerSeconds: durationOf('agent', 'linger', options.texts.get('linger') ?? '10m'),
    });
  });
}

function durationOf(command: string, option: string, text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds === undefined)
    throw misuse(command, `--${option} is a duration such as 60s or 10m, not '${text}'.`);
  return seconds;
}
