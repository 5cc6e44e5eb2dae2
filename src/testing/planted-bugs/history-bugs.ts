// Mistakes that real processes show: what a restart forgets, what is answered too soon, what a killed agent leaves. As those of
// bugs.ts, they exist only here; histories of real processes must show each.
import type { PlantedBug } from './bugs.ts';

export interface HistoryBug extends PlantedBug {
  /** What shows it: clients under kills by chance, a crash at a commit, or an agent that is killed during a job. */
  readonly shownBy: 'storm' | 'crash' | 'killed-agent';
}

export const historyBugs: readonly HistoryBug[] = [
  {
    name: 'answers do not wait for their commit',
    shownBy: 'crash',
    file: 'server/core.ts',
    find: 'const batch = asBatch(stepped, moment);',
    replace: `const batch = asBatch(stepped, moment);
    for (const { pending, answer } of stepped) if (!(answer instanceof MqError)) pending.resolve(answer);`,
  },
  {
    name: 'each attempt at a request counts as a new one',
    shownBy: 'crash',
    file: 'server/operations/call.ts',
    find: 'return { requestId: body.requestId, caller',
    replace: 'return { requestId: body.requestId + String(performance.now()), caller',
  },
  {
    name: 'a restart forgets locks',
    shownBy: 'storm',
    file: 'server/lab-server.ts',
    find: 'replay(state, loaded.changes);',
    replace: "replay(state, loaded.changes.filter(({ entity }) => entity !== 'lock'));",
  },
  {
    name: 'a restart forgets tickets',
    shownBy: 'storm',
    file: 'server/lab-server.ts',
    find: 'replay(state, loaded.changes);',
    replace: "replay(state, loaded.changes.filter(({ entity }) => entity !== 'ticket'));",
  },
  {
    name: 'a restart begins the tokens anew',
    shownBy: 'storm',
    file: 'domain/restart.ts',
    find: "step.putMeta({ mode: 'settling', settleUntil });",
    replace: "step.putMeta({ mode: 'settling', settleUntil, token: { generation: 1, number: 0 } });",
  },
  {
    name: 'a lost line ends its ticket at once',
    shownBy: 'storm',
    file: 'domain/clients.ts',
    find: "if (body.gone) withdrawTicket(step, ticket, { by: ticket.user, why: 'gone' });",
    replace: "if (!ticket.detached) withdrawTicket(step, ticket, { by: ticket.user, why: 'gone' });",
  },
  {
    name: 'a new agent leaves what a killed one had running',
    shownBy: 'killed-agent',
    file: 'agent/leftovers.ts',
    find: 'await endLeftovers(\n      { marker, pids: files.children.readEarlier() },\n      { signal },\n    );',
    replace: '{ ended: 0, remaining: [] as { pid: number }[] };',
  },
  {
    name: 'a release by another key is carried out',
    shownBy: 'storm',
    file: 'domain/locks.ts',
    find: "if (lock.key !== body.key) return 'wrong-key';",
    replace: '',
  },
];
