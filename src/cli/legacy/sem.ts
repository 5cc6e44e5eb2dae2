// `mq sem`: the locks of boards and pools, by the old words. What is printed where, and the exit codes, are fixed.
// The short ones come with this file; what changes something is loaded when asked for.
import type { Client } from '../../client/client.ts';
import { connectTo } from '../connect/connect.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { infoLine, memberLines, mrInfoLine } from './lock-lines.ts';
import { parseSem, type SemRequest, type Unusable } from './sem-flags.ts';

type Of<K extends SemRequest['kind']> = Extract<SemRequest, { kind: K }>;

export async function sem(argv: readonly string[], terminal: Terminal, program: string): Promise<number> {
  const request = parseSem(argv, process.env);
  if (request.kind === 'unusable') {
    const { tellUnusable } = await import('./unusable.ts');
    return tellUnusable('sem', request, { terminal, program });
  }
  try {
    return await perform(request, terminal);
  } catch (error) {
    const { failLegacy } = await import('./failure.ts');
    return failLegacy(error, 'target' in request ? request.target : '', terminal);
  }
}

async function perform(request: Exclude<SemRequest, Unusable>, terminal: Terminal): Promise<number> {
  switch (request.kind) {
    case 'wait':
      return (await import('./sem-wait.ts')).wait(request, terminal);
    case 'signal':
      return (await import('./sem-signal.ts')).signalBoards(request, terminal);
    case 'cancel':
      return (await import('./sem-signal.ts')).cancel(request);
    default:
      return show(request, terminal);
  }
}

async function show(request: Of<'dumpall' | 'info' | 'mr-info'>, terminal: Terminal): Promise<number> {
  const client = await connectTo(request.server, { readsOnly: true });
  try {
    terminal.print(await infoLines(client, request));
    return 0;
  } finally {
    client.close();
  }
}

async function infoLines(client: Client, request: Of<'dumpall' | 'info' | 'mr-info'>): Promise<string[]> {
  if (request.kind === 'dumpall') {
    const { members } = await client.request('locks', {});
    return members.map(({ board, lock }) => mrInfoLine(board, lock));
  }
  const { target } = request;
  const { kind, members } = await client.request('info', { target });
  return memberLines({ kind, target }, members, request.kind === 'info' ? infoLine : mrInfoLine);
}
