// What was promised of tickets: one that was acknowledged is there until it ends by the rules, and none of the same set
// and class overtakes an earlier one for the same boards. Pure.

import type { Attempt, Digest, View } from './attempts.ts';
import { views } from './attempts.ts';
import { type Absence, type Call, type History, tokenText } from './history.ts';

const never = Number.POSITIVE_INFINITY;
const graceMs = 15_000;
const slackMs = 300;

export function checkTickets(digested: Digest): { problems: string[]; pairs: number } {
  const absences = byClient(digested.history.absences);
  const order = checkOrder(digested, absences);
  const problems = [
    ...checkEnds(digested, absences),
    ...checkUnknown(digested),
    ...checkQueue(digested, absences),
    ...order.problems,
  ];
  return { problems, pairs: order.pairs };
}

type Absences = ReadonlyMap<string, readonly Absence[]>;

function byClient(absences: readonly Absence[]): Absences {
  return Map.groupBy(absences, ({ client }) => client);
}

/** Its own, and those of everybody: the server was stopped. */
function awayOf(absences: Absences, client: string): readonly Absence[] {
  return [...(absences.get(client) ?? []), ...(absences.get('*') ?? [])];
}

/** Every end that a client was told of has a reason that the record bears out. */
function checkEnds({ history, byTicket, byKey }: Digest, absences: Absences): string[] {
  const problems = new Map<number, string>();
  for (const { at, view } of views(history)) {
    const attempt = byTicket.get(view.ticket);
    if (view.state !== 'ended' || !attempt) continue;
    const lock = byKey.get(attempt.key);
    if (!isBorneOut(view, attempt, { at, history, absences, lock }))
      problems.set(
        view.ticket,
        `ticket ${view.ticket} of ${attempt.client} ended as '${view.reason}' (${view.text}) at ${at.toFixed(1)}, for which ` +
          `there was no cause: asked at ${attempt.call.at.toFixed(1)}, wait ${attempt.waitSeconds ?? 'for ever'}`,
      );
  }
  return [...problems.values()];
}

function isBorneOut(
  { reason }: View,
  own: Attempt,
  {
    at,
    history,
    absences,
    lock,
  }: { at: number; history: History; absences: Absences; lock: Attempt | undefined },
): boolean {
  const { call, client, waitSeconds, leaves, kind } = own;
  const away = awayOf(absences, client);
  switch (reason) {
    case 'timed-out':
      return waitSeconds !== undefined && at >= call.at + waitSeconds * 1000 - slackMs;
    case 'withdrawn':
      return leaves.some((one) => one.op === 'withdraw' && one.at <= at);
    case 'cancelled':
      return leaves.some((one) => one.op === 'cancel' && one.at <= at);
    case 'grace':
      return away.some((one) => (one.endedAt ?? never) >= call.at && at >= one.at + graceMs - slackMs);
    case 'gone':
      return away.some((one) => one.isEnd && one.at <= at);
    case 'released':
    case 'forced':
      // A job's lock ends with it.
      return kind === 'run' || mayBeOver(own, history, at);
    case 'refused':
      // The lock whose job slot it waited for.
      return kind === 'slot' && lock !== undefined && mayBeOver(lock, history, at);
    default:
      return false;
  }
}

/** Its hold may be over, or somebody ended it. */
function mayBeOver(attempt: Attempt, { calls }: History, at: number): boolean {
  return attempt.holdSeconds > 0 || calls.some((one) => one.at <= at && mayEnd(one, attempt));
}

/** Whether a call may have ended a lock of this attempt, or let it be ended. */
function mayEnd({ op, body }: Call, { key, boards, ticket }: Attempt): boolean {
  if (op === 'steal') return boards.includes(String(body.board));
  if (op === 'withdraw') return body.ticket === ticket;
  const isRelease = ['release', 'give', 'extend', 'mq unlock'].includes(op);
  return isRelease && (body.key === key || body.force === true);
}

/** The server knows every ticket that it has answered for. */
function checkUnknown({ history, byTicket }: Digest): string[] {
  return history.calls.flatMap(({ op, body, error, client, doneAt }) => {
    const id = Number(body.ticket ?? 0);
    if (error !== 'UNKNOWN_TICKET' || !['attach', 'confirm', 'withdraw'].includes(op)) return [];
    if (!byTicket.has(id)) return [];
    return [`the server does not know ticket ${id} of ${client} any more, at ${doneAt?.toFixed(1)}`];
  });
}

/** Whoever lists the queue while a ticket surely waits finds it there. */
function checkQueue({ history, byTicket }: Digest, absences: Absences): string[] {
  const problems: string[] = [];
  const lists = history.calls.filter(({ op, answer }) => op === 'status' && answer !== undefined);
  for (const attempt of byTicket.values()) {
    const { ticket, ackAt = never, settledAt = never, client, leaves, waitSeconds } = attempt;
    // Of a detached one the server is the client: it may be a job before anybody hears of it.
    if (attempt.isProcess || attempt.isDetached || ticket === undefined) continue;
    const lostAt = lastsUntil(awayOf(absences, client), attempt);
    const dueAt = waitSeconds === undefined ? never : attempt.call.at + waitSeconds * 1000 - slackMs;
    const until = Math.min(settledAt, lostAt, dueAt, ...leaves.map(({ at }) => at), ...confirmsAt(attempt));
    for (const { at, doneAt = never, answer } of lists) {
      if (at < ackAt || doneAt > until) continue;
      const { queue } = answer as { queue: { ticket: number }[] };
      if (!queue.some((entry) => entry.ticket === ticket))
        problems.push(
          `ticket ${ticket} of ${client} was lost: the queue of ${at.toFixed(1)} does not have it`,
        );
    }
  }
  return problems;
}

function confirmsAt({ confirms }: Attempt): number[] {
  return confirms.map(({ at }) => at);
}

/** How long the client was back soon enough each time. */
function lastsUntil(away: readonly Absence[], { call }: Attempt): number {
  const long = away.find(
    ({ at, endedAt = never }) => endedAt >= call.at && endedAt - at >= graceMs - slackMs,
  );
  return long ? Math.max(call.at, long.at) : never;
}

// ---- order ----

/** Numbers of tickets are their arrivals, and tokens the order of grants: both lab-wide. */
function checkOrder(digested: Digest, absences: Absences): { problems: string[]; pairs: number } {
  const firstTokens = findFirstTokens(digested);
  const problems: string[] = [];
  let pairs = 0;
  const groups = Map.groupBy(
    [...digested.byTicket.values()].filter((one) => !one.isProcess && one.kind !== 'slot'),
    ({ queue, set, priority }) => [queue, set, priority].join(' / '),
  );
  for (const group of groups.values()) {
    group.sort((a, b) => (a.ticket ?? 0) - (b.ticket ?? 0));
    for (const [at, later] of group.entries()) {
      const grant = firstTokens.get(later.ticket ?? 0);
      if (!grant) continue;
      for (const earlier of group.slice(Math.max(0, at - 40), at)) {
        if (!isEligible(earlier, { from: later.call.at, to: grant.at, absences })) continue;
        pairs += 1;
        const own = firstTokens.get(earlier.ticket ?? 0);
        if (own && own.token < grant.token) continue;
        problems.push(
          `ticket ${later.ticket} (${later.client}) overtook ${earlier.ticket} (${earlier.client}) of the same queue and set ` +
            `(${later.queue}): it had ${tokenText(grant.token)} at ${grant.at.toFixed(1)}, the other ` +
            `${own ? `${tokenText(own.token)} at ${own.at.toFixed(1)}` : 'nothing'}`,
        );
      }
    }
  }
  return { problems, pairs };
}

function findFirstTokens({ sightings, byKey }: Digest): Map<number, { token: number; at: number }> {
  const found = new Map<number, { token: number; at: number }>();
  for (const { key, token, firstAt } of sightings) {
    const ticket = byKey.get(key)?.ticket;
    if (ticket !== undefined && !found.has(ticket)) found.set(ticket, { token, at: firstAt });
  }
  return found;
}

/** It surely waited in the queue from the other's arrival to that one's grant, with its client there. */
function isEligible(
  attempt: Attempt,
  { from, to, absences }: { from: number; to: number; absences: Absences },
): boolean {
  const { ackAt = never, leaves, waitSeconds, call, client } = attempt;
  // A detached one may be granted and run without anybody having seen its grant.
  if (ackAt > from || attempt.isDetached) return false;
  const dueAt = waitSeconds === undefined ? never : call.at + waitSeconds * 1000 - slackMs;
  const endAt = Math.min(dueAt, ...leaves.map(({ at }) => at));
  if (endAt <= to) return false;
  return !awayOf(absences, client).some(({ at, endedAt = never }) => at <= to && endedAt >= from);
}
