// Mistakes that somebody could make in the scheduler, each as a change of one place in its source. They exist only here:
// plant.ts puts one of them into the source as it is loaded, in a process of its own, and the simulation must find it.

export interface PlantedBug {
  /** What is wrong, in a few words; the name by which a run names it. */
  readonly name: string;
  /** Below src/. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The first seed to look in, where the first of all takes long. */
  readonly seed?: number;
}

export const plantedBugs: readonly PlantedBug[] = [
  // ---- confirm, take-back, withdraw ----
  {
    name: 'a confirm under any token is taken',
    seed: 2,
    file: 'domain/tickets.ts',
    find: 'if (!offer || !sameToken(offer.token, body.token) || isMaking(step.state, ticket)) {',
    replace: 'if (!offer) {',
  },
  {
    name: 'a grant that nobody confirms is never taken back',
    file: 'domain/record-timers.ts',
    find: "const own = ticket.state === 'offered' ? ticket.offer?.confirmBy : deadline;",
    replace: "const own = ticket.state === 'offered' ? undefined : deadline;",
  },
  {
    name: 'a grant that is taken back leaves its lock',
    file: 'domain/grants.ts',
    find: 'if (lock) removeLock(step, lock);',
    replace: '',
  },
  {
    name: 'a withdrawn ticket keeps what it was offered',
    seed: 2,
    file: 'domain/tickets.ts',
    find: 'if (ticket.offer) freeOffer(step, ticket, ticket.offer);',
    replace: '',
  },
  {
    name: 'a ticket that was taken back waits on although its client gives no sign',
    file: 'domain/grants.ts',
    find: 'waitOn(step, { ...ticket, ...away });',
    replace: 'waitOn(step, ticket);',
  },
  {
    name: 'the hold counts from the grant',
    file: 'domain/locks.ts',
    find: '...holdEnd(step, lock.holdSeconds, max.holdMaxAt),',
    replace: '...holdEnd(step, lock.holdSeconds - 1, max.holdMaxAt),',
  },
  // ---- order ----
  {
    name: 'the turn of a set is not raised by a grant',
    file: 'domain/grants.ts',
    find: "step.put('turn', key, { queue, set, number });\n  return before",
    replace: 'return before',
  },
  {
    name: 'the turn stays raised when the grant is taken back',
    file: 'domain/grants.ts',
    find: 'for (const granted of all) lowerTurn(step, ticket, granted);',
    replace: '',
  },
  {
    name: 'heads of queues are compared without their class',
    file: 'domain/ticket-queue.ts',
    find: 'return x.priority - y.priority || x.turn - y.turn || x.arrival - y.arrival;',
    replace: 'return x.turn - y.turn || x.arrival - y.arrival;',
  },
  {
    name: 'heads of queues are compared by arrival alone',
    file: 'domain/ticket-queue.ts',
    find: 'return x.priority - y.priority || x.turn - y.turn || x.arrival - y.arrival;',
    replace: 'return x.priority - y.priority || x.arrival - y.arrival;',
  },
  {
    name: 'within a set the last to come is served first',
    file: 'domain/ticket-queue.ts',
    find: 'group.set(String(ticket.id), ticket.id);',
    replace: 'group.set(String(ticket.id), -ticket.id);',
  },
  {
    name: 'a queue is not ranked again when a turn has risen',
    file: 'domain/state.ts',
    find: 'this.#sets.peek(turn.queue)?.queue.refreshSet(turn.set);',
    replace: '',
  },
  {
    name: 'only one of the queues of a freed board is looked at',
    file: 'domain/match.ts',
    find: 'if (head && (!best || compareRanks(head.rank, best.rank) < 0)) best = head;',
    replace: 'if (head && !best) best = head;',
  },
  {
    name: 'a pool that spreads takes the first listed board',
    file: 'domain/target-set.ts',
    find: 'this.spread ? standing.since : listed',
    replace: 'listed',
  },
  {
    name: 'suspect boards are not listed last',
    file: 'domain/target-set.ts',
    find: 'standing.isSuspect ? 1 : 0',
    replace: '0',
  },
  {
    name: 'another configuration forgets the turns that were reached',
    file: 'domain/configure.ts',
    find: 'const turnFloor = Math.max(ticket.turnFloor, turns[0] ?? 0);',
    replace: 'const turnFloor = 0;',
  },
  // ---- clients ----
  {
    name: 'a ticket whose client is back stays parked',
    file: 'domain/clients.ts',
    find: "if (ticket.state === 'parked') unpark(step, ticket);\n    else if",
    replace: 'if',
  },
  {
    name: 'a ticket whose client is away stays in its queue',
    file: 'domain/clients.ts',
    find: "const parked = ticket.state === 'waiting' ? ({ state: 'parked' } as const) : {};",
    replace: 'const parked = {};',
  },
  {
    name: 'the grace of a ticket never ends',
    file: 'domain/record-timers.ts',
    find: 'return earliest(own, ticket.graceUntil, gather);',
    replace: 'return earliest(own, gather);',
  },
  {
    name: 'a detached job has a grace',
    seed: 8,
    file: 'domain/clients.ts',
    find: "if (!job || job.detached || job.state === 'ending') return;",
    replace: "if (!job || job.state === 'ending') return;",
  },
  // ---- restart ----
  {
    name: 'a start grants at once, without settling',
    file: 'domain/restart.ts',
    find: "step.putMeta({ mode: 'settling', settleUntil });",
    replace: "step.putMeta({ mode: 'open' });",
  },
  {
    name: 'graces do not begin anew at a start',
    file: 'domain/restart.ts',
    find: 'const away = ticket.detached ? {} : { graceUntil: settleUntil + step.timing.graceMs };',
    replace: 'const away = {};',
  },
  {
    name: 'an offer from before a start runs out while its client comes back',
    seed: 2,
    file: 'domain/restart.ts',
    find: 'const offer = { ...ticket.offer, confirmBy: settleUntil + (making ? lockFileMs : confirmMs) };',
    replace: 'const offer = ticket.offer;',
  },
  {
    name: 'deadlines take effect while the server settles',
    file: 'domain/record-timers.ts',
    find: 'Math.max(ticket.deadline, settleUntil)',
    replace: 'ticket.deadline',
  },
  {
    name: 'a token of an agent that is higher than ours is ignored',
    file: 'domain/boards.ts',
    find: 'step.putMeta({ token: highest });',
    replace: '',
  },
  // ---- release, keys, reclaim ----
  {
    name: 'a release with the wrong key releases',
    file: 'domain/locks.ts',
    find: "if (lock.key !== body.key) return 'wrong-key';",
    replace: '',
  },
  {
    name: 'a late release releases the next lock',
    file: 'domain/locks.ts',
    find: 'const named = lock && body.token ? sameToken(lock.token, body.token) : true;',
    replace: 'const named = true;',
  },
  {
    name: 'a lock is reclaimed for a client that gave no sign of life',
    file: 'domain/match.ts',
    find: "if (found) step.effects.push({ kind: 'ping', ticket: found.ticket });",
    replace: "if (found) beginEnding(step, found.lock, { reason: 'reclaimed', by: 'x', note: '' });",
  },
  {
    name: 'nobody asks the client for whom a lock could be reclaimed',
    file: 'domain/match.ts',
    find: "if (found) step.effects.push({ kind: 'ping', ticket: found.ticket });",
    replace: '',
  },
  {
    name: 'a lock is reclaimed before its end',
    file: 'domain/target-set.ts',
    find: 'return this.#holds.upTo(now);',
    replace: 'return this.#holds.upTo(Number.POSITIVE_INFINITY);',
  },
  {
    name: 'an overdue lock is reclaimed though a board that ends already would do',
    seed: 4,
    file: 'domain/match.ts',
    find: 'if (isNext(ending)) return undefined;',
    replace: '',
  },
  // ---- ending, jobs, power ----
  {
    name: 'a lock that ends does not wait for its job',
    file: 'domain/locks.ts',
    find: 'const isSafe = !job && !mustGoOff(step, last);',
    replace: 'const isSafe = !mustGoOff(step, last);',
  },
  {
    name: 'a lock that ends does not wait for the power',
    file: 'domain/locks.ts',
    find: 'const isSafe = !job && !mustGoOff(step, last);',
    replace: 'const isSafe = !job;',
  },
  {
    name: 'an ending has no limit',
    file: 'domain/record-timers.ts',
    find: "if (lock.state === 'ending') return lock.ending?.limitAt;",
    replace: "if (lock.state === 'ending') return undefined;",
  },
  {
    name: 'an answer about the power frees a lock that came later',
    seed: 3,
    file: 'domain/jobs.ts',
    find: "if (lock?.state !== 'ending' || lock.job !== undefined || !sameToken(lock.lastToken, body.token)) return;",
    replace: "if (lock?.state !== 'ending' || lock.job !== undefined) return;",
  },
  {
    name: 'a job gets the token of its lock',
    file: 'domain/tickets.ts',
    find: "const token = ticket.kind === 'run' ? step.drawToken() : offer.token;",
    replace: 'const token = offer.token;',
  },
  {
    name: 'what an agent has lost is not told again',
    seed: 24,
    file: 'domain/boards.ts',
    find: "if (job && !known) step.effects.push({ kind: 'start-job', job });",
    replace: 'if (job && !known) return;',
  },
  {
    name: 'a second job starts under a lock that has one',
    seed: 3,
    file: 'domain/slots.ts',
    find: 'lock.job === undefined &&\n    lock.power === undefined &&',
    replace: 'lock.power === undefined &&',
  },
  // ---- boards ----
  {
    name: 'a broken board is granted',
    file: 'domain/state.ts',
    find: "board.health.state !== 'broken' &&\n      !board.removed",
    replace: '!board.removed',
  },
  {
    name: 'a board whose agent is away is granted',
    file: 'domain/state.ts',
    find: "board.agent === 'present' &&\n      board.service.state === 'in'",
    replace: "board.service.state === 'in'",
  },
  {
    name: 'a board that drains is granted again',
    file: 'domain/locks.ts',
    find: "service: { ...service, state: 'out' },",
    replace: "service: { ...service, state: 'in' },",
  },
  {
    name: 'a board that came back into service waits for the next event',
    seed: 2,
    file: 'domain/timers.ts',
    find: 'step.boardsToMatch.add(name);',
    replace: '',
  },
  // ---- several boards ----
  {
    name: 'several boards are granted though one is missing',
    file: 'domain/several.ts',
    find: 'if (isComplete(plan)) return grantAll(step, ticket, plan);',
    replace: 'return grantAll(step, ticket, plan.filter((board) => board !== undefined));',
  },
  {
    name: 'boards go to the first need that they fit',
    file: 'domain/matching.ts',
    find: 'if (holder !== undefined && !place(holder, seen)) continue;',
    replace: 'if (holder !== undefined) continue;',
  },
  {
    name: 'a kept board is granted to somebody else',
    file: 'domain/state.ts',
    find: "if (board.keptFor !== undefined) return { state: 'kept' };",
    replace: '',
  },
  {
    name: 'boards stay kept for a ticket that is over',
    file: 'domain/match.ts',
    find: 'while (step.state.kept.size > 0 && reviewKept(step)) if (isOpen) matchAll(step);',
    replace: '',
  },
  {
    name: 'a ticket that rests has boards kept',
    file: 'domain/several.ts',
    find: 'if (!mayGather(step.state, ticket)) return;',
    replace: '',
  },
  {
    name: 'somebody must leave for a ticket that still lacks a board then',
    file: 'domain/several.ts',
    find: 'if (!isComplete(plan)) return [];',
    replace: '',
  },
];
