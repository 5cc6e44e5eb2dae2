// Names that only the server knows, for whoever is typing: soon or not at all.
import type { Client } from '../../client/client.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LabListing } from '../../protocol/lab.ts';
import { settlesWithin } from '../abortable.ts';
import { findServer } from '../connect/address.ts';
import { connectTo } from '../connect/connect.ts';
import type { NameKind } from './complete.ts';

/** Longer is felt as a pause. Through ssh a connection alone takes longer than that. */
const waitMs = { unix: 300, other: 1_500 } as const;
const jobsShown = 30;

/** Resolves with none where there is no server, or one that is slow. */
export async function liveNames(kind: NameKind, server: string | undefined): Promise<string[]> {
  let names: string[] = [];
  try {
    const address = findServer({ option: server, env: process.env });
    const asked = ask(kind, server).then((answer) => {
      names = answer;
    });
    asked.catch(() => {});
    const usual = address.kind === 'unix' ? waitMs.unix : waitMs.other;
    const limit = Number(process.env.MQ_COMPLETION_MS) || usual;
    await settlesWithin(asked, limit, { now: () => performance.now(), after: startTimer });
  } catch (error) {
    if (!(error instanceof MqError)) throw error;
  }
  return names;
}

function startTimer(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms);
  return () => clearTimeout(timer);
}

async function ask(kind: NameKind, server: string | undefined): Promise<string[]> {
  const client = await connectTo(server, { readsOnly: true });
  try {
    return [...new Set(await namesOf(kind, client))];
  } finally {
    client.close();
  }
}

async function namesOf(kind: NameKind, client: Client): Promise<string[]> {
  switch (kind) {
    case 'target':
    case 'need':
    case 'board': {
      const { lab } = await client.request('lab', {});
      const { boards, pools } = lab as LabListing;
      const behind = kind === 'need' ? '=' : '';
      return [...boards, ...(kind === 'board' ? [] : pools)].map(({ name }) => name + behind);
    }
    case 'job': {
      const { jobs } = await client.request('jobs', { limit: jobsShown });
      return jobs.map(({ id }) => String(id));
    }
    case 'live': {
      const { user, status } = await statusOf(client);
      const jobs = status.jobs.filter((job) => job.user === user).map(({ id }) => id);
      const tickets = status.queue.filter((entry) => entry.user === user).map(({ ticket }) => ticket);
      return [...jobs, ...tickets].map(String);
    }
    case 'key': {
      const { user, status } = await statusOf(client);
      return status.boards.flatMap(({ lock }) => (lock?.user === user && lock.key !== '0' ? lock.key : []));
    }
    case 'user': {
      const { status } = await statusOf(client);
      return [
        ...status.boards.flatMap(({ lock }) => lock?.user ?? []),
        ...status.queue.map(({ user }) => user),
      ];
    }
  }
}

async function statusOf(client: Client) {
  const [status, { user }] = await Promise.all([client.request('status', {}), client.request('hello', {})]);
  return { status, user };
}
