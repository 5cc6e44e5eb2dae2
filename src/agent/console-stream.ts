// Sends one job's console to the server, from where the server stands to its end, and then the result.
import type { AgentJobResult } from '../protocol/agent-messages.ts';
import type { ConsoleSpool } from './console-spool.ts';
import type { ServerLink } from './server-link.ts';

export interface StreamedJob {
  readonly id: number;
  readonly token: string;
  readonly spool: Promise<ConsoleSpool>;
  readonly isOpen: boolean;
  readonly done: Promise<AgentJobResult>;
}

/** Ends when the job has and all was sent, or with the link. `ended` is behind the last byte, always. */
export async function streamConsole(link: ServerLink, job: StreamedJob, from: number): Promise<void> {
  const spool = await job.spool.catch(() => undefined);
  if (spool) await sendBytes(link, { job, spool, from });
  const result = await Promise.race([job.done, aborted(link.closed)]);
  if (result) link.send({ type: 'ended', job: job.id, token: job.token, result });
}

async function sendBytes(
  link: ServerLink,
  at: { job: StreamedJob; spool: ConsoleSpool; from: number },
): Promise<void> {
  const { job, spool } = at;
  let toldMatch = false;
  /** A text that ended before this offset is told before any byte behind it. */
  const tellMatch = (offset: number) => {
    if (toldMatch || spool.matchEnd === undefined || offset < spool.matchEnd) return;
    toldMatch = true;
    link.send({ type: 'completed', job: job.id, matchEnd: spool.matchEnd, open: job.isOpen });
  };
  tellMatch(at.from);
  for await (const range of spool.follow(at.from, link.closed)) {
    if (range.kind === 'gap') {
      link.send({ type: 'console-gap', job: job.id, offset: range.offset, length: range.length });
      tellMatch(range.offset + range.length);
      continue;
    }
    const { offset, atMs } = range;
    const cut = cutAt(spool.matchEnd, range);
    await link.sendConsole({ job: job.id, offset, atMs, bytes: range.bytes.subarray(0, cut) });
    tellMatch(offset + cut);
    if (cut < range.bytes.length) {
      await link.sendConsole({ job: job.id, offset: offset + cut, atMs, bytes: range.bytes.subarray(cut) });
    }
  }
  // A text that only the end of the console decided.
  tellMatch(spool.length);
}

function cutAt(matchEnd: number | undefined, range: { offset: number; bytes: Buffer }): number {
  const end = range.offset + range.bytes.length;
  return matchEnd !== undefined && matchEnd > range.offset && matchEnd < end
    ? matchEnd - range.offset
    : range.bytes.length;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
