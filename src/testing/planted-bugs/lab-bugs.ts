// Mistakes that somebody could make around the scheduler: in the server, the agent and what is between them. As those of
// bugs.ts, they exist only here; the simulation of the whole lab must find each.
import type { PlantedBug } from './bugs.ts';

export const labBugs: readonly PlantedBug[] = [
  // ---- commits and answers ----
  {
    name: 'an answer goes out before its commit',
    file: 'server/core.ts',
    find: 'const batch = asBatch(stepped, moment);',
    replace: `const batch = asBatch(stepped, moment);
    for (const { pending, answer } of stepped) if (!(answer instanceof MqError)) pending.resolve(answer);`,
  },
  {
    name: 'effects are carried out before their commit',
    file: 'server/core.ts',
    find: 'const batch = asBatch(stepped, moment);',
    replace: `const batch = asBatch(stepped, moment);
    this.#options.onEffects(stepped.flatMap((one) => one.effects));`,
  },
  {
    name: 'a repeated request is carried out again',
    seed: 2,
    file: 'server/core.ts',
    find: 'const found = this.#answers.find(identity.requestId);',
    replace: 'const found = undefined as StoredAnswer | undefined;',
  },
  {
    name: 'an answer is not kept for a repeat',
    seed: 2,
    file: 'server/core.ts',
    find: 'if (stored) this.#answers.add(stored);',
    replace: '',
  },
  {
    name: 'a repeat does not wait for the first',
    seed: 2,
    file: 'server/core.ts',
    find: 'this.#inFlight.set(identity.requestId, {',
    replace: "this.#inFlight.set('other', {",
  },
  {
    name: 'a refused commit is not undone',
    file: 'server/core.ts',
    find: 'for (const one of stepped.toReversed()) undo(this.#options.state, one.changes);',
    replace: '',
  },
  {
    name: 'a refused commit is answered as done',
    file: 'server/core.ts',
    find: 'for (const { pending } of stepped) pending.reject(tryAgain(outcome.message));',
    replace: 'for (const { pending, answer } of stepped) pending.resolve(answer);',
  },
  {
    name: 'a commit of unknown outcome counts as done',
    seed: 5,
    file: 'server/core.ts',
    find: "else if (outcome.kind === 'unknown') return this.#die(outcome.message);",
    replace: "else if (outcome.kind === 'unknown') this.#settle(stepped, isEmpty);",
  },
  {
    name: 'readers see what is not committed',
    seed: 5,
    file: 'server/core.ts',
    find: 'else if (this.#committing) this.#reads.push({ run, refuse });',
    replace: '',
  },
  {
    name: 'a start does not settle its clients',
    seed: 10,
    file: 'server/lab-server.ts',
    find: "await server.core.run({ name: 'restart', body: { settleMs } });",
    replace: '',
  },
  {
    name: 'scheduler time goes back with the wall clock',
    seed: 11,
    file: 'server/scheduler-clock.ts',
    find: 'Math.max(lastAt, source.wallMs())',
    replace: 'source.wallMs()',
  },
  // ---- agent and consoles ----
  {
    name: 'console bytes that come twice are written twice',
    file: 'server/consoles.ts',
    find: 'const known = live.next - frame.offset;',
    replace: 'const known = 0;',
  },
  {
    name: 'a job ends before its console is there',
    seed: 4,
    file: 'server/agents.ts',
    find: 'if (length < result.consoleLength) throw',
    replace: 'if (length < -1) throw',
  },
  {
    name: 'the agent may forget a job whose end is not stored',
    seed: 10,
    file: 'server/agents.ts',
    find: "    await core.run({ name: 'jobEnded'",
    replace: "    this.#link?.send({ type: 'forget', job });\n    await core.run({ name: 'jobEnded'",
  },
  {
    name: 'a start that comes twice is refused',
    seed: 12,
    file: 'agent/agent.ts',
    find: 'if (known?.token === token) {',
    replace: "if (known?.token === 'other') {",
  },
  {
    name: 'a board that a killed agent left on is not switched off',
    seed: 4,
    file: 'agent/leftovers.ts',
    find: 'const power = await board.powerOff(token);',
    replace: "const power = { ok: true, detail: '' };",
  },
  {
    name: 'a killed agent leaves no note of its jobs',
    seed: 4,
    file: 'agent/board-runner.ts',
    find: 'files.writeFirstNote({ id: job.id, board: this.name, token: job.token, machine: this.#machine });',
    replace: '',
  },
  {
    name: 'the end of a job is told once',
    seed: 9,
    file: 'agent/agent.ts',
    find: 'for (const known of this.#jobs.values()) void this.#stream(',
    replace: 'for (const known of [] as KnownJob[]) void this.#stream(',
  },
  // ---- clients ----
  {
    name: 'a lost request is not sent again',
    seed: 9,
    file: 'client/client.ts',
    find: 'if (pending.sentOn !== serial) this.#send(pending, link);',
    replace: 'if (pending.sentOn === 0) this.#send(pending, link);',
  },
  {
    name: 'a ticket is not attached again after a reconnect',
    seed: 7,
    file: 'client/ticket.ts',
    find: 'onReconnect: () => this.#attach(),',
    replace: 'onReconnect: () => undefined,',
  },
];
