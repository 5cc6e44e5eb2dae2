// Whether a record can be true of a lab that keeps its promises. Each check says what it found in plain words, with the part of
// the record that matters. Pure.

import { type Attempt, type Digest, digest, type Sighting } from './attempts.ts';
import { boardOperations } from './board-operations.ts';
import { type BoardState, freeBoard, stateKey, stateText } from './board-state.ts';
import { type History, tokenText } from './history.ts';
import { checkJobs } from './judge-jobs.ts';
import { checkTickets } from './judge-tickets.ts';
import { type Contradiction, linearize, type Operation, TooManyOrders } from './linearize.ts';

export interface Verdict {
  /** Empty: nothing speaks against it. */
  readonly problems: readonly string[];
  /** Operations that were put in order, over all boards. */
  readonly ordered: number;
  /** Pairs of tickets of which one must not overtake the other, and could be judged. */
  readonly pairs: number;
}

export function judge(history: History): Verdict {
  const digested = digest(history);
  const tickets = checkTickets(digested);
  const problems = [
    ...digested.problems,
    ...checkErrors(history),
    ...checkRise(digested),
    ...checkHolders(digested),
    ...checkTogether(digested),
    ...tickets.problems,
    ...checkJobs(digested),
  ];
  let ordered = 0;
  for (const board of history.boards) {
    const operations = boardOperations(digested, board);
    ordered += operations.length;
    try {
      const contradiction = linearize(operations, { initial: freeBoard, keyOf: stateKey });
      if (contradiction) problems.push(describe(board, contradiction, history));
    } catch (error) {
      // Told like a broken promise, so that nobody takes it for a kept one.
      if (!(error instanceof TooManyOrders)) throw error;
      problems.push(
        `${board}: nobody can tell whether an order explains its ${operations.length} calls: ${error.message}`,
      );
    }
  }
  return { problems, ordered, pairs: tickets.pairs };
}

function describe(board: string, found: Contradiction<BoardState>, { events }: History): string {
  const { operation, states, underWay, before } = found;
  const at = operation.by;
  const near = events.filter((event) => event.at > (before[0]?.at ?? at) && event.at <= at);
  const line = ({ at, by, text }: Operation<BoardState>): string => `    ${span(at, by)} ${text}`;
  const relevant = underWay.filter((one) => Number.isFinite(one.by) || !one.text.startsWith('perhaps'));
  return [
    `${board}: no order of the calls explains '${operation.text}'`,
    line(operation),
    `  The board was by then: ${states.slice(0, 4).map(stateText).join('; or ')}${states.length > 4 ? '; …' : ''}`,
    '  Before it:',
    ...before.map(line),
    '  Under way at its end, or never answered:',
    ...relevant.slice(-12).map(line),
    '  Meanwhile:',
    ...near.slice(-12).map((event) => `    ${event.at.toFixed(1)} ${event.what}`),
  ].join('\n');
}

function span(at: number, by: number): string {
  return `${at.toFixed(1)}–${Number.isFinite(by) ? by.toFixed(1) : '?'}`;
}

/** No client is told that the server failed inside, or that its request is another one's. */
function checkErrors({ calls }: History): string[] {
  return calls.flatMap(({ op, client, error, id }) =>
    error === 'INTERNAL' || error === 'REQUEST_ID_REUSED'
      ? [`'${op}' of ${client} [${id}] was answered with ${error}`]
      : [],
  );
}

/** A token that was seen before somebody else asked is below the one that this one then got. */
function checkRise({ sightings, byKey }: Digest): string[] {
  const problems: string[] = [];
  let latest: { sighting: Sighting; askedAt: number } | undefined;
  for (const sighting of sightings) {
    const askedAt = byKey.get(sighting.key)?.call.at;
    if (latest && sighting.firstAt < latest.askedAt)
      problems.push(
        `tokens went down: ${tokenText(sighting.token)} on ${sighting.board} was seen at ${sighting.firstAt.toFixed(1)}, and ` +
          `${tokenText(latest.sighting.token)} on ${latest.sighting.board} was asked for only at ${latest.askedAt.toFixed(1)}`,
      );
    if (askedAt !== undefined && askedAt > (latest?.askedAt ?? 0)) latest = { sighting, askedAt };
  }
  return problems;
}

interface Hold {
  readonly token: string;
  readonly who: string;
  readonly from: number;
  readonly to: number;
}

/** Beside the search for an order: spans in which a lock was surely held, as told to its client, never overlap. */
function checkHolders(digested: Digest): string[] {
  const { history } = digested;
  return history.boards.flatMap((board) => {
    const holds = surelyHeld(digested, board).sort((a, b) => a.from - b.from);
    return holds.flatMap((hold, at) => {
      const next = holds[at + 1];
      if (!next || next.from >= hold.to) return [];
      return [
        `${board} had two holders: ${hold.who} under ${hold.token} from ${hold.from.toFixed(1)} to ${hold.to.toFixed(1)}, ` +
          `and ${next.who} under ${next.token} from ${next.from.toFixed(1)}`,
      ];
    });
  });
}

function surelyHeld({ history, byTicket }: Digest, board: string): Hold[] {
  const enders = new Set([
    'release',
    'withdraw',
    'cancel',
    'give',
    'steal',
    'mq unlock',
    'mq with',
    'mq sem',
  ]);
  const ends = history.calls.filter(({ op }) => enders.has(op)).map(({ at }) => at);
  ends.sort((a, b) => a - b);
  const endAfter = (at: number): number => ends.find((end) => end > at) ?? Number.POSITIVE_INFINITY;
  return history.calls.flatMap((call): Hold[] => {
    const { view } = (call.answer ?? {}) as { view?: { state: string; ticket: number; locks?: object[] } };
    const attempt = view && byTicket.get(view.ticket);
    if (call.op !== 'confirm' || view?.state !== 'held' || !attempt || call.doneAt === undefined) return [];
    const locks = (view.locks ?? [(view as { lock?: object }).lock]) as { board: string; token: string }[];
    const lock = locks.find((one) => one.board === board);
    if (!lock) return [];
    const overdueAt =
      attempt.holdSeconds > 0 ? call.at + attempt.holdSeconds * 1000 - 300 : Number.POSITIVE_INFINITY;
    const to = Math.min(endAfter(call.at), overdueAt);
    return to > call.doneAt ? [{ token: lock.token, who: attempt.client, from: call.doneAt, to }] : [];
  });
}

/** One look shows all boards of a ticket for several, or none, until somebody gives one back. */
function checkTogether({ history, byKey }: Digest): string[] {
  const problems: string[] = [];
  for (const { op, answer, at, doneAt } of history.calls) {
    const { members } = (answer ?? {}) as { members?: { board: string; lock?: { key: string } }[] };
    if (op !== 'locks' || !members || doneAt === undefined) continue;
    const counts = new Map<string, number>();
    for (const { lock } of members) if (lock) counts.set(lock.key, (counts.get(lock.key) ?? 0) + 1);
    for (const [key, count] of counts) {
      const attempt = byKey.get(key);
      const wanted = attempt && boardCount(attempt);
      if (wanted === undefined || count === wanted || isGivenBack(history, attempt, doneAt)) continue;
      problems.push(`${key} asked for ${wanted} boards together, and had ${count} at ${at.toFixed(1)}`);
    }
  }
  return problems;
}

function boardCount({ call, kind }: Attempt): number | undefined {
  const { count = 1, also = [] } = call.body as { count?: number; also?: { count?: number }[] };
  return kind === 'lock' ? also.reduce((sum, one) => sum + (one.count ?? 1), count) : undefined;
}

/** Somebody may have ended a lock of it, by name or whatever key it had. */
function isGivenBack({ calls }: History, attempt: Attempt | undefined, before: number): boolean {
  if (!attempt || attempt.holdSeconds > 0 || attempt.call.op === 'mq with') return true;
  return calls.some(
    ({ op, body, at }) =>
      at <= before &&
      at >= attempt.call.at &&
      ((body.key === attempt.key && op !== 'submit' && !op.startsWith('mq lock')) ||
        op === 'steal' ||
        body.force === true ||
        (body.ticket === attempt.ticket && op === 'withdraw')),
  );
}
