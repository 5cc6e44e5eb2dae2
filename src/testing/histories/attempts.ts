// Who asked for which boards, and which locks were ever seen: the record sorted for the checks. Every attempt has a key of its
// own, which joins a lock to it. Pure.

import { type Call, type History, tokenNumber } from './history.ts';

export interface Attempt {
  readonly key: string;
  readonly client: string;
  /** A command of its own: what it was told is known only by what it printed. */
  readonly isProcess: boolean;
  readonly kind: 'lock' | 'run' | 'slot';
  /** Its job needs no client. */
  readonly isDetached: boolean;
  readonly boards: readonly string[];
  /** What it asked for, as text: equal texts share one queue. */
  readonly queue: string;
  readonly set: string;
  readonly priority: string;
  readonly holdSeconds: number;
  readonly waitSeconds: number | undefined;
  readonly call: Call;
  /** What its job's file is called and how many lines it prints. */
  readonly job: { readonly label: string; readonly lines: number } | undefined;
  ticket?: number;
  /** When it was answered first, and when it was told of its end or its board. */
  ackAt?: number;
  settledAt?: number;
  readonly confirms: Call[];
  /** Requests by which its ticket was to end. */
  readonly leaves: Call[];
}

/** A lock that somebody saw. */
export interface Sighting {
  readonly board: string;
  readonly token: number;
  readonly key: string;
  readonly firstAt: number;
}

interface LockSeen {
  readonly board: string;
  readonly token: string;
  readonly key: string;
  readonly state?: string;
}

export interface View {
  readonly state: string;
  readonly ticket: number;
  readonly board?: string;
  readonly token?: string;
  readonly lock?: LockSeen;
  readonly locks?: readonly LockSeen[];
  readonly reason?: string;
  readonly text?: string;
}

export interface Digest {
  readonly history: History;
  readonly byKey: ReadonlyMap<string, Attempt>;
  readonly byTicket: ReadonlyMap<number, Attempt>;
  readonly sightings: readonly Sighting[];
  /** One token for two locks. */
  readonly problems: readonly string[];
}

/** Boards of a target: a board, a pool, or several names with commas. */
export function boardsOf({ pools }: Pick<History, 'pools'>, target: string): string[] {
  return target.split(',').flatMap((name) => pools[name] ?? [name]);
}

export function digest(history: History): Digest {
  const byKey = new Map<string, Attempt>();
  const byTicket = new Map<number, Attempt>();
  for (const call of history.calls) {
    const attempt = asAttempt(history, call);
    if (!attempt) continue;
    // A job under a lock of one's own has the lock's key.
    if (attempt.kind !== 'slot') byKey.set(attempt.key, attempt);
    if (attempt.ticket !== undefined) byTicket.set(attempt.ticket, attempt);
  }
  for (const call of history.calls) {
    const attempt = byTicket.get(Number(call.body.ticket ?? call.body.id ?? 0));
    if (call.op === 'confirm') attempt?.confirms.push(call);
    if (call.op === 'withdraw' || call.op === 'cancel') attempt?.leaves.push(call);
  }
  for (const { at, view } of views(history)) {
    const attempt = byTicket.get(view.ticket);
    const isSettled = view.state === 'held' || view.state === 'started' || view.state === 'ended';
    if (attempt && isSettled) attempt.settledAt = Math.min(attempt.settledAt ?? at, at);
  }
  return { history, byKey, byTicket, ...findSightings(history, byTicket) };
}

function asAttempt(history: History, call: Call): Attempt | undefined {
  const { body, client, op } = call;
  const isProcess = ['mq lock', 'mq with', 'mq sem', 'mq run'].includes(op);
  if (op !== 'submit' && !isProcess) return undefined;
  const wish = body as Partial<Attempt> & { target?: string; count?: number; also?: { target: string }[] };
  const targets = [wish.target ?? '', ...(wish.also ?? []).map(({ target }) => target)];
  const { ticket } = (call.answer ?? {}) as { ticket?: number };
  return {
    key: wish.key ?? '',
    client,
    isProcess,
    kind: wish.kind ?? 'lock',
    isDetached: (body as { job?: { detached?: boolean } }).job?.detached ?? false,
    boards: targets.flatMap((target) => boardsOf(history, target)),
    queue: `${targets.join(' and ')} x${wish.count ?? 1} ${wish.kind ?? 'lock'}`,
    set: wish.set ?? '',
    priority: wish.priority ?? 'normal',
    holdSeconds: wish.holdSeconds ?? 0,
    waitSeconds: wish.waitSeconds,
    call,
    job: jobIn(body),
    ...(ticket === undefined ? {} : { ticket }),
    ...(op === 'submit' && call.doneAt !== undefined ? { ackAt: call.doneAt } : {}),
    ...(isProcess && call.doneAt !== undefined ? { settledAt: call.doneAt } : {}),
    confirms: [],
    leaves: [],
  };
}

/** A job's file is named for its label and its lines. */
function jobIn(body: Call['body']): Attempt['job'] {
  const { job } = body as { job?: { files: { name: string }[] } };
  const name = job?.files[0]?.name;
  if (name === undefined) return undefined;
  const at = name.lastIndexOf('.');
  return { label: name.slice(0, at), lines: Number(name.slice(at + 1)) };
}

/** Every view of a ticket that a client was given, with when it came and, of an answer, when it was asked for. */
export function views(history: History): { at: number; askedAt?: number; client: string; view: View }[] {
  const told = history.news.map(({ at, client, view }) => ({ at, client, view: view as unknown as View }));
  const answered = history.calls.flatMap(({ client, at, doneAt, answer }) => {
    const { view } = (answer ?? {}) as { view?: View };
    return view && doneAt !== undefined ? [{ at: doneAt, askedAt: at, client, view }] : [];
  });
  return [...told, ...answered];
}

function findSightings(
  history: History,
  byTicket: ReadonlyMap<number, Attempt>,
): { sightings: Sighting[]; problems: string[] } {
  const found = new Map<number, Sighting>();
  const problems: string[] = [];
  const see = ({ board, token, key }: LockSeen, at: number): void => {
    const number = tokenNumber(token);
    const before = found.get(number);
    if (before && (before.board !== board || before.key !== key))
      problems.push(`token ${token} stands for two locks: ${before.board} ${before.key} and ${board} ${key}`);
    const firstAt = Math.min(before?.firstAt ?? at, at);
    found.set(number, { board, token: number, key, firstAt });
  };
  for (const { at, view } of views(history)) {
    const { state, board, token, lock, locks } = view;
    const attempt = byTicket.get(view.ticket);
    // What is offered to a slot ticket is the token of a job, not of a lock.
    if (state === 'offered' && board && token && attempt && attempt.kind !== 'slot')
      see({ board, token, key: attempt.key }, at);
    if (lock) for (const one of locks ?? [lock]) see(one, at);
  }
  for (const { answer, doneAt, body } of history.calls) {
    if (answer === undefined || doneAt === undefined) continue;
    for (const lock of locksIn(answer, String(body.key ?? ''))) see(lock, doneAt);
  }
  return { sightings: [...found.values()].sort((a, b) => a.token - b.token), problems };
}

/** Locks that an answer tells of: a list of all, a changed one, what a command printed. */
function locksIn(answer: unknown, key: string): LockSeen[] {
  const { members, lock, boards, tokens } = answer as {
    members?: { lock?: LockSeen }[];
    lock?: LockSeen;
    boards?: { lock?: LockSeen }[] | number;
    tokens?: { board: string; token: string }[];
  };
  const listed = [...(members ?? []), ...(Array.isArray(boards) ? boards : [])].flatMap(
    (one) => one.lock ?? [],
  );
  return [...listed, ...(lock ? [lock] : []), ...(tokens ?? []).map((one) => ({ ...one, key }))];
}
