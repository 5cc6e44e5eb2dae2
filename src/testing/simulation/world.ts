// Server, clients, agents and what befalls them, on one simulated clock, from one seed.
import type { Effect, Submit } from '../../domain/commands.ts';
import type {
  Change,
  JobRecord,
  LabDefinition,
  LockRecord,
  TicketOutcome,
  TicketRecord,
  Token,
} from '../../domain/records.ts';
import { formatToken, sameToken } from '../../domain/records.ts';
import type { Timing } from '../../domain/timing.ts';
import { Agenda } from './agenda.ts';
import { SimulatedAgent } from './agent.ts';
import { SimulatedClient } from './client.ts';
import { agentBoards, boardOf, fullLab, lockFolder } from './lab.ts';
import { SimulatedLockFiles } from './lock-files.ts';
import { Random } from './random.ts';
import type { Recording } from './recording.ts';
import { SimulatedServer } from './server.ts';
import { pickWish } from './wish.ts';

/** Of the scheduler in simulations. */
export const timing: Timing = {
  confirmMs: 3_000,
  lockFileMs: 20_000,
  graceMs: 15_000,
  endingMs: 60_000,
  faultsMax: 3,
  gatherRestMsMax: 80_000,
};
/** No answer to a ping for so long parks a client's tickets. */
const pingMs = 5_000;
const clientsMax = 35;

export class World {
  readonly random: Random;
  readonly agenda = new Agenda(1_000_000);
  readonly server: SimulatedServer;
  readonly agents: readonly SimulatedAgent[];
  readonly clients = new Set<SimulatedClient>();
  readonly lockFiles = new SimulatedLockFiles(this);
  /** The lab as it is meant to be; every third one has old clients. */
  readonly lab: LabDefinition;
  /** How tickets ended. */
  readonly fates = new Map<number, TicketOutcome>();
  /** Nothing bad befalls anybody any more, and nobody new comes. */
  isCalm = false;
  readonly #owners = new Map<number, SimulatedClient>();
  #spawned = 0;
  #switches = 0;

  /** `recording`: takes what the scheduler is given. */
  constructor(seed: number, recording?: Recording) {
    this.random = new Random(seed);
    this.lab = seed % 3 === 0 ? { ...fullLab, lockFiles: lockFolder } : fullLab;
    this.server = new SimulatedServer({
      random: this.random,
      agenda: this.agenda,
      timing,
      recording,
      events: {
        onEffect: (effect) => this.#onEffect(effect),
        onDown: () => this.#onDown(),
        onUp: () => this.#onUp(),
        onChange: (change) => this.#onChange(change),
      },
    });
    this.agents = agentBoards.map((boards) => new SimulatedAgent(this, boards));
  }

  /** A changed lab; now and then it does without lock files. */
  withFiles(lab: LabDefinition): LabDefinition {
    return this.lab.lockFiles === undefined || this.random.chance(0.2)
      ? lab
      : { ...lab, lockFiles: lockFolder };
  }

  fail(problem: string): void {
    this.server.problems.push(problem);
  }

  /** A new client with a wish of its own, or this one. */
  spawn(wish: Submit = pickWish(this.random)): SimulatedClient | undefined {
    if (this.isCalm || this.clients.size >= clientsMax) return undefined;
    this.#spawned += 1;
    const client = new SimulatedClient(this, this.#spawned, wish);
    this.clients.add(client);
    client.begin();
    this.#plan(client);
    return client;
  }

  /** What will go wrong with a client, if anything. */
  #plan(client: SimulatedClient): void {
    const { random, agenda } = this;
    const trouble = random.next();
    const atMs = random.wait(6_000);
    if (trouble < 0.06) agenda.in(atMs, () => client.die(random.chance(0.7)));
    else if (trouble < 0.2) {
      agenda.in(atMs, () => {
        client.drop();
        if (random.chance(0.9)) agenda.in(random.wait(8_000), () => client.reconnect());
      });
    } else if (trouble < 0.27) agenda.in(atMs, () => client.hang(random.between(1_000, 40_000)));
    else if (trouble < 0.32) agenda.in(atMs, () => client.withdraw());
  }

  // ---- what the server's sessions know ----

  own(ticket: number, client: SimulatedClient): void {
    if (client.isAlive && client.isLinked) this.#owners.set(ticket, client);
  }

  /** The server sees that a client's line is cut. */
  onCut(client: SimulatedClient, ticket: number, gone: boolean): void {
    if (this.#owners.get(ticket) === client) this.#owners.delete(ticket);
    if (this.#owners.has(ticket)) return;
    const link = this.server.crashes;
    this.server.post({ name: 'detach', body: { ticket, gone } }, (heard) => {
      // A refused commit: the server sees to it again, unless it died, which parks everybody.
      if (heard.kind === 'lost' && this.server.isUp && link === this.server.crashes && this.isLive(ticket))
        this.agenda.in(100, () => this.onCut(client, ticket, gone));
    });
  }

  #ping(ticket: number): void {
    const owner = this.#owners.get(ticket);
    const isDetached = this.server.checker.mirror.get('ticket', String(ticket))?.detached;
    if (isDetached) return this.server.post({ name: 'alive', body: { ticket } });
    if (!owner) return this.server.post({ name: 'detach', body: { ticket, gone: false } });
    const life = this.server.crashes;
    let answered = false;
    owner.ping(() => {
      answered = true;
      if (life === this.server.crashes && this.#owners.get(ticket) === owner)
        this.server.post({ name: 'alive', body: { ticket } });
    });
    this.agenda.in(pingMs, () => {
      if (
        !answered &&
        life === this.server.crashes &&
        this.#owners.get(ticket) === owner &&
        this.isLive(ticket)
      )
        this.server.post({ name: 'detach', body: { ticket, gone: false } });
    });
  }

  #onEffect(effect: Effect): void {
    switch (effect.kind) {
      case 'lock-file':
        return this.lockFiles.note(effect.board);
      case 'offer':
        this.#judgeOffer(effect.ticket);
        if (this.server.checker.mirror.get('ticket', String(effect.ticket))?.detached)
          this.#confirmDetached(effect.ticket, effect.token);
        this.#owners.get(effect.ticket)?.hear(effect);
        return;
      case 'ticket-ended':
      case 'ticket-waiting':
        this.#owners.get(effect.ticket)?.hear(effect);
        return;
      case 'job-changed':
        this.#owners.get(effect.job.id)?.hear(effect);
        return;
      case 'ping':
        return this.#ping(effect.ticket);
      case 'start-job':
      case 'cancel-job':
      case 'finish-job':
        return this.agents.find((agent) => agent.drives(effect.job.board))?.act(effect);
      case 'power-off':
      case 'power':
        return this.agents.find((agent) => agent.drives(effect.board))?.act(effect);
    }
  }

  /** Of a detached job the server itself is the client. */
  #confirmDetached(ticket: number, token: Token): void {
    const record = this.server.checker.mirror.get('ticket', String(ticket));
    if (!record || (!this.isCalm && this.random.chance(0.05))) return;
    this.agenda.in(1, () =>
      this.server.post({ name: 'confirm', body: { user: record.user, ticket, token } }),
    );
  }

  #judgeOffer(ticket: number): void {
    const record = this.server.checker.mirror.get('ticket', String(ticket));
    if (record) this.lockFiles.judgeOffer(record);
  }

  #onDown(): void {
    this.#owners.clear();
    for (const agent of this.agents) agent.lose();
    for (const client of this.clients) client.lose();
  }

  #onUp(): void {
    this.lockFiles.onUp();
    for (const agent of this.agents) this.agenda.in(this.random.between(10, 3_000), () => agent.connect());
    for (const client of this.clients) {
      const inTime = this.random.chance(0.9);
      const afterMs = inTime ? this.random.between(10, 2_500) : this.random.between(2_500, 30_000);
      this.agenda.in(afterMs, () => client.reconnect());
    }
  }

  #onChange(change: Change): void {
    if (change.entity === 'ticket') {
      const after = change.after as TicketRecord | undefined;
      if (after?.outcome) this.fates.set(after.id, after.outcome);
    }
    if (change.entity === 'lab') for (const agent of this.agents) this.agenda.in(1, () => agent.heed());
    if (change.entity === 'board') this.#checkPower(change.key);
    if (change.entity !== 'lock') return;
    this.#checkHolder(change.before as LockRecord | undefined, change.after as LockRecord | undefined);
  }

  /** A board that is on counts as one that may be, under one of its names. */
  #checkPower(name: string): void {
    if (!this.agents.some((agent) => agent.isOn(name))) return;
    const records = this.server.checker.mirror.all('board');
    const counts = records.some((board) => board.mayBeOn && boardOf(board.name) === boardOf(name));
    if (!counts) this.fail(`${name} counts as off, or is forgotten, while it is on`);
  }

  /** What is done to a board's metal is over, and the board as it is said to be, when somebody else gets it. */
  #checkHolder(before: LockRecord | undefined, after: LockRecord | undefined): void {
    if (!after || after.state === 'ending' || (before && sameToken(before.token, after.token))) return;
    const agent = this.agents.find((one) => one.drives(after.board));
    const isOn = !before && !after.foundOn && agent?.isOn(after.board);
    const occupation = agent?.occupation(after.board) ?? (isOn ? 'it is on' : undefined);
    if (occupation !== undefined) this.fail(`${after.board} was given to ${after.user} while ${occupation}`);
  }

  // ---- what clients ask of the world ----

  isLive(ticket: number): boolean {
    const { mirror } = this.server.checker;
    return (
      mirror.get('ticket', String(ticket)) !== undefined || mirror.get('job', String(ticket)) !== undefined
    );
  }

  offerOf(ticket: number): Token | undefined {
    if (this.isMaking(ticket)) return undefined;
    return this.server.checker.mirror.get('ticket', String(ticket))?.offer?.token;
  }

  /** Its offer is not told yet, for want of a lock file. */
  isMaking(ticket: number): boolean {
    const { mirror } = this.server.checker;
    const offer = mirror.get('ticket', String(ticket))?.offer;
    return (offer?.all ?? (offer ? [offer] : [])).some(
      ({ board }) => mirror.get('lock', board)?.file === 'making',
    );
  }

  /** What was acknowledged is in the store, or has ended in a way that can be told. */
  checkAcknowledged(lock: LockRecord): void {
    const stored = this.server.checker.mirror.get('lock', lock.board);
    const stands = stored?.state === 'held' && sameToken(stored.token, lock.token);
    if (!stands && !this.server.endedLocks.has(formatToken(lock.token)))
      this.fail(`the lock ${formatToken(lock.token)} on ${lock.board} was acknowledged and is not there`);
  }

  forget(client: SimulatedClient): void {
    this.clients.delete(client);
    if (client.ticket !== undefined && this.#owners.get(client.ticket) === client)
      this.#owners.delete(client.ticket);
  }

  /** A client has a board for itself. */
  use(client: SimulatedClient, lock: LockRecord): void {
    const { random, agenda } = this;
    const { caller, key } = client.wish;
    const { board, token } = lock;
    const some = (probability: number, command: () => Parameters<SimulatedServer['post']>[0]): void => {
      if (random.chance(probability)) agenda.in(random.wait(3_000), () => this.server.post(command()));
    };
    some(0.1, () => ({ name: 'touch', body: { board, token } }));
    some(0.1, () => ({ name: 'extend', body: { caller, board, key, holdSeconds: random.between(0, 20) } }));
    some(0.04, () => ({ name: 'give', body: { caller, board, key, user: 'eve', newKey: 'gift' } }));
    if (random.chance(0.3)) agenda.in(random.wait(1_000), () => this.#runUnder(client, board));
    if (random.chance(0.5)) agenda.in(random.wait(2_000), () => this.#switch(client, board));
    // Some forget.
    if (!this.isCalm && random.chance(0.05)) return this.forget(client);
    agenda.in(this.isCalm ? 10 : random.wait(7_000), () => client.release());
  }

  /** `run -n` by the holder, on the board or on a pool that has it. */
  #runUnder(client: SimulatedClient, board: string): void {
    const target = this.random.chance(0.5)
      ? ({ kind: 'board', name: board } as const)
      : ({ kind: 'pool', name: this.random.pick(['imx6', 'mixed', 'x86']) } as const);
    const { needs: _needs, ...wish } = client.wish;
    const console = this.random.chance(0.3) ? ({ consoleOnly: true } as const) : {};
    this.spawn({ ...wish, ...console, kind: 'slot', target, job: { image: 'hello' }, reuse: false });
  }

  /** The holder switches the power, now and then again and again, also when the board is not theirs any more. */
  #switch(client: SimulatedClient, board: string): void {
    const { random, agenda } = this;
    const { caller, key } = client.wish;
    this.#switches += 1;
    const action = random.pick(['on', 'off', 'cycle'] as const);
    const request = `switch ${this.#switches}`;
    this.server.post({ name: 'power', body: { caller, board, key, action, request } });
    if (!this.isCalm && random.chance(0.6)) agenda.in(random.wait(2_000), () => this.#switch(client, board));
  }

  /** A client's job runs. */
  watch(client: SimulatedClient, job: JobRecord): void {
    const { random, agenda } = this;
    const { caller } = client.wish;
    const dice = random.next();
    const afterMs = random.wait(3_000);
    if (dice < 0.08) {
      const body = { caller, job: job.id, why: 'not needed' };
      agenda.in(afterMs, () => this.server.post({ name: 'cancelJob', body }));
    } else if (dice < 0.14) {
      agenda.in(afterMs, () => this.server.post({ name: 'finishJob', body: { caller, job: job.id } }));
    } else if (dice < 0.2) agenda.in(afterMs, () => client.withdraw());
    else if (dice < 0.24) agenda.in(afterMs, () => client.die(true));
  }
}
