// The whole lab on one simulated host, from one seed: server, agent, boards, people, and the judge who watches them.

import type { LabConfig } from '../../protocol/lab.ts';
import { SimulatedHost } from '../simulated-host/host.ts';
import { agentBoards, fullLab } from '../simulation/lab.ts';
import { Random } from '../simulation/random.ts';
import { AgentOfHost } from './agent.ts';
import { Judge } from './judge.ts';
import { boardsOfParts, pickWish, toConfig, users } from './lab.ts';
import { Metal } from './metal.ts';
import { Person } from './person.ts';
import { ServerOfHost } from './server.ts';
import type { TroubleKind } from './trouble.ts';

export interface WorldOptions {
  readonly seed: number;
  /** What goes wrong in it. */
  readonly kinds: ReadonlySet<TroubleKind>;
  /** Clients at once. */
  readonly peopleMax: number;
  /** How many times more often than usual commits, writes and messages go wrong, and people look at lists. */
  readonly badLuck: number;
  /** Empty, and only for this. */
  readonly folder: string;
}

export class World {
  readonly kinds: ReadonlySet<TroubleKind>;
  readonly badLuck: number;
  readonly host: SimulatedHost;
  readonly judge: Judge;
  readonly server: ServerOfHost;
  readonly agent: AgentOfHost;
  readonly metals: ReadonlyMap<string, Metal>;
  readonly people = new Set<Person>();
  /** What the server finds when it reads its configuration. */
  config: LabConfig = toConfig(fullLab);
  /** Nothing bad befalls anybody any more, and nobody new comes. */
  isCalm = false;
  readonly #peopleMax: number;
  #serial = 0;

  constructor({ seed, kinds, peopleMax, badLuck, folder }: WorldOptions) {
    this.kinds = kinds;
    this.badLuck = badLuck;
    this.#peopleMax = peopleMax;
    const random = new Random(seed);
    this.host = new SimulatedHost({ random, folder });
    const metals = new Map<string, Metal>();
    this.metals = metals;
    this.judge = new Judge(metals, () => this.host.nowMs);
    for (const name of agentBoards.flat()) {
      const options = {
        isOfParts: boardsOfParts.has(name),
        onStart: (board: string, endText: string) => this.judge.onStart(board, endText),
        onProblem: (problem: string) => this.judge.fail(problem),
        onNote: (what: string) => this.judge.note(what),
      };
      metals.set(name, new Metal({ name, random, ...options }));
    }
    this.agent = new AgentOfHost(this);
    this.server = new ServerOfHost(this);
  }

  /** Whether a message that may come twice does. */
  doubles = (): boolean =>
    !this.isCalm && this.kinds.has('messages twice') && this.host.random.chance(0.02 * this.badLuck);

  /** Another user with a wish. */
  spawn(): Person | undefined {
    if (this.isCalm || this.people.size >= this.#peopleMax) return undefined;
    const user = this.host.random.pick(users);
    const person = this.enter(user);
    person.begin(person.want(pickWish(this.host.random, user)));
    return person;
  }

  /** Somebody who does nothing yet. */
  enter(user: string): Person {
    this.#serial += 1;
    const person = new Person(this, user, this.#serial);
    this.people.add(person);
    return person;
  }

  forget(person: Person): void {
    this.people.delete(person);
  }
}
