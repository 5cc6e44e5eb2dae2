// What the scheduler itself costs, without store, sockets or disk: microseconds of processor time for one pair (three
// steps), as boards, pools of each board, waiting tickets and sets grow. Beside it a JSON copy of the changes of one
// pair, which any program that stores them must make.
import type { Caller } from '../src/domain/commands.ts';
import type { Change, LabDefinition, TargetSpec, Token } from '../src/domain/records.ts';
import { step } from '../src/domain/scheduler.ts';
import { State } from '../src/domain/state.ts';
import { standardTiming } from '../src/domain/timing.ts';
import { median } from './statistics.ts';

export interface SchedulerFigures {
  readonly what: string;
  readonly boards: number;
  readonly poolsOfEachBoard: number;
  readonly tickets: number;
  readonly sets: number;
  readonly adHocQueues: number;
  readonly microsecondsPerPair: number;
  readonly jsonMicroseconds: number;
  readonly ratio: number;
}

interface Shape {
  readonly what: string;
  readonly boards: number;
  readonly pools: number;
  readonly tickets: number;
  readonly sets: number;
  /** Queues of ad-hoc sets of nearly all boards, with a ticket of a lower class each. */
  readonly adHoc: number;
}

const usual: Shape = { what: 'usual', boards: 10, pools: 2, tickets: 0, sets: 1, adHoc: 0 };
const shapes: readonly Shape[] = [
  usual,
  ...[100, 1_000, 10_000].map((boards) => ({ ...usual, what: 'boards', boards })),
  ...[1, 10, 50].map((pools) => ({ ...usual, what: 'pools of each board', boards: 100, pools })),
  ...[100, 1_000, 10_000].map((tickets) => ({ ...usual, what: 'tickets', tickets, sets: 10 })),
  ...[1, 100, 10_000].map((sets) => ({ ...usual, what: 'sets', tickets: 10_000, sets })),
  ...[0, 8, 64].map((adHoc) => ({
    ...usual,
    what: 'ad-hoc queues',
    boards: 100,
    tickets: 1_000,
    sets: 10,
    adHoc,
  })),
];
const caller: Caller = { user: 'ana', admin: false };
const usualAsk = { target: { kind: 'pool', name: 'pool-0' }, priority: 1 } as const;

/** `pairs` timed pairs in each of five rounds, for each shape; the shapes take turns. */
export function run({ pairs }: { readonly pairs: number }): SchedulerFigures[] {
  const labs = shapes.map((shape) => new PairTaker(shape));
  const times = labs.map((): { step: number; json: number }[] => []);
  for (let round = 0; round <= 5; round += 1) {
    for (const [at, lab] of labs.entries()) {
      const found = lab.time(pairs);
      if (round > 0) times[at]?.push(found);
    }
  }
  return shapes.map(({ what, boards, pools, tickets, sets, adHoc }, at) => {
    const stepTime = median((times[at] ?? []).map((time) => time.step));
    const json = median((times[at] ?? []).map((time) => time.json));
    const sizes = { what, boards, poolsOfEachBoard: pools, tickets, sets, adHocQueues: adHoc };
    return { ...sizes, microsecondsPerPair: stepTime, jsonMicroseconds: json, ratio: stepTime / json };
  });
}

/** A lab in which every board is in so many pools. With tickets, all boards are held and hand-overs are timed. */
class PairTaker {
  readonly #state = new State();
  readonly #shape: Shape;
  readonly #held: string[] = [];
  #now = 1;
  #count = 0;
  #changes: Change[] = [];

  constructor(shape: Shape) {
    this.#shape = shape;
    this.#do('configure', { lab: definition(shape), by: 'system' });
    const boards = definition(shape).boards.map((board) => board.name);
    this.#do('agentPresent', { boards, jobs: [], highest: { generation: 1, number: 0 } });
    if (shape.tickets === 0) return;
    for (const _board of boards) {
      const reply = this.#submit();
      if (reply.kind !== 'offered') throw new Error('a board was not free');
      this.#confirm(reply.ticket, reply.token);
      this.#held.push(reply.board);
    }
    for (let left = shape.tickets; left > 0; left -= 1) this.#submit();
    for (let out = 0; out < shape.adHoc; out += 1) {
      const names = boards.filter((_name, at) => at !== out);
      this.#submit({ target: { kind: 'boards', names }, priority: 2 });
    }
  }

  /** Microseconds for each pair: of its steps, and of a JSON copy of its changes. */
  time(pairs: number): { step: number; json: number } {
    const startedAt = performance.now();
    for (let left = pairs; left > 0; left -= 1) this.#takePair();
    const jsonAt = performance.now();
    for (let left = pairs; left > 0; left -= 1) JSON.stringify(this.#changes);
    return {
      step: ((jsonAt - startedAt) * 1000) / pairs,
      json: ((performance.now() - jsonAt) * 1000) / pairs,
    };
  }

  #takePair(): void {
    this.#changes = [];
    const board = this.#held.shift();
    const reply = this.#submit();
    if (board === undefined) {
      if (reply.kind !== 'offered') throw new Error('no board was free');
      this.#confirm(reply.ticket, reply.token);
      this.#release(reply.board);
      return;
    }
    const offer = this.#release(board).effects.find((effect) => effect.kind === 'offer');
    if (!offer) throw new Error('a freed board was not offered');
    this.#confirm(offer.ticket, offer.token);
    this.#held.push(offer.board);
  }

  #submit(asked: { target: TargetSpec; priority: 1 | 2 } = usualAsk) {
    const set = `ana/${this.#count % this.#shape.sets}`;
    const wish = { caller, kind: 'lock', ...asked, key: '0', set, holdSeconds: 0 } as const;
    this.#count += 1;
    return this.#do('submit', { ...wish, detached: false, note: '', reuse: false, members: false }).reply;
  }

  #confirm(ticket: number, token: Token): void {
    this.#do('confirm', { user: caller.user, ticket, token });
  }

  #release(board: string) {
    return this.#do('release', { caller, boards: [board], key: '0', force: false, note: '' });
  }

  #do<N extends Parameters<typeof step>[2]['name']>(
    name: N,
    body: Extract<Parameters<typeof step>[2], { name: N }>['body'],
  ) {
    this.#now += 1;
    const moment = { now: this.#now, wallAt: this.#now };
    const command = { name, body } as Extract<Parameters<typeof step>[2], { name: N }>;
    const result = step(this.#state, standardTiming, command, moment);
    this.#changes.push(...result.changes);
    return result;
  }
}

/** Pool 0 has all boards, each further one all but one, so that none is another's equal. */
function definition({ boards, pools, tickets }: Shape): LabDefinition {
  const names = Array.from({ length: boards }, (_, at) => `board-${at}`);
  const files = { min: 1, max: 2 };
  return {
    boards: names.map((name) => {
      return {
        name,
        aliases: [],
        attributes: {},
        files,
        linuxFiles: files,
        takesLinux: false,
        takesDtb: false,
      };
    }),
    pools: Array.from({ length: pools }, (_, at) => {
      return {
        name: `pool-${at}`,
        boards: names.filter((_name, of) => at === 0 || of !== at),
        spread: false,
      };
    }),
    discipline: 'turns',
    gatherSeconds: 600,
    limits: {
      ticketsPerUser: 2 * tickets + 100_000,
      queueLength: 2 * tickets + 100_000,
      adHocQueuesPerBoard: 64,
      boardsPerTicket: 32,
    },
  };
}
