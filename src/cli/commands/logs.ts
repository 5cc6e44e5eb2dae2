// `mq logs`: the console of a job, as its bytes are.
import { readConsole } from '../../client/console.ts';
import { tellLink } from '../await-ticket.ts';
import { takeSignals } from '../interrupt.ts';
import { idOf, onlyWord } from '../options.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { runCommand } from './command.ts';
import { LineStamper } from './line-stamper.ts';

const options = {
  follow: { kind: 'flag', short: 'f' },
  timestamps: { kind: 'flag', short: 't' },
} as const;

export function logs(argv: readonly string[], terminal: Terminal): Promise<number> {
  return runCommand('logs', argv, terminal, options, async ({ options, connect }) => {
    const job = idOf('logs', onlyWord('logs', options.words, 'job'));
    const follow = options.flags.has('follow');
    const signal = takeSignals(terminal);
    const client = await connect({ readsOnly: true, onLink: tellLink(terminal) });
    if (follow && terminal.isWatched) {
      const { job: view } = await client.request('job', { id: job });
      if (view.state === 'waiting') terminal.status(`Job ${job} waits for ${view.target}`);
    }
    const stamper = options.flags.has('timestamps') ? new LineStamper() : undefined;
    for await (const piece of readConsole(client, job, { follow, signal })) {
      if (piece.kind === 'gap')
        terminal.complain(`${piece.length} bytes are missing here: they were not kept.`);
      else await terminal.write(stamper ? stamper.stamp(piece.bytes, piece.atMs) : piece.bytes);
    }
    return 0;
  });
}
