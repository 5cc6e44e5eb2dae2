// The boards of an agent: those that the server gives it, and those that still have a job of an earlier agent.
import type { BoardDriver } from '../drivers/board/contract.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import type { AgentBoard, BoardAbility } from '../protocol/agent-messages.ts';
import type { MachineSpec } from '../protocol/machine.ts';
import { BoardRunner } from './board-runner.ts';
import type { ChildHooks } from './job.ts';
import type { JobFiles } from './job-files.ts';

export interface BoardsOptions {
  readonly drivers: (machine: MachineSpec) => BoardDriver;
  readonly files: JobFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hooks: ChildHooks;
  /** Resolves when nothing of an earlier agent runs any more. */
  readonly cleared: Promise<unknown>;
}

/** What the server is told of boards: those that it may use, and those that can't be driven. */
export interface Offer {
  readonly ready: readonly string[];
  readonly failed: readonly { readonly board: string; readonly why: string }[];
  /** Of those that are ready and can do anything without a job. */
  readonly abilities: readonly { readonly board: string; readonly can: readonly BoardAbility[] }[];
}

export class Boards {
  readonly #options: BoardsOptions;
  readonly #runners = new Map<string, BoardRunner>();
  /** Boards of the server whose driver can't be made. */
  readonly #undrivable = new Map<string, string>();
  #given: ReadonlySet<string> = new Set();

  constructor(options: BoardsOptions) {
    this.#options = options;
  }

  /** A board that the server gave. */
  find(name: string): BoardRunner | undefined {
    return this.#given.has(name) && !this.#undrivable.has(name) ? this.#runners.get(name) : undefined;
  }

  /** A board as a note of an earlier agent names it. */
  add(name: string, machine: MachineSpec): BoardRunner {
    const runner = this.#runners.get(name) ?? this.#makeRunner(name, machine, this.#driverOrNone(machine));
    this.#runners.set(name, runner);
    return runner;
  }

  /** The server gives these boards, and no others any more. What runs on a board goes on in any case. */
  offer(boards: readonly AgentBoard[], beingCleared: ReadonlySet<string>): Offer {
    this.#given = new Set(boards.map(({ name }) => name));
    this.#undrivable.clear();
    for (const { name, machine } of boards) this.#give(name, machine);
    const names = [...this.#given].filter((name) => !beingCleared.has(name));
    const ready = names.filter((name) => this.#whyFailed(name) === undefined);
    return { ready, failed: this.#failed(names), abilities: this.#abilities(ready) };
  }

  /** A board that has been cleared. */
  offerAgain(name: string): Offer {
    const names = this.#given.has(name) ? [name] : [];
    const failed = this.#failed(names);
    const ready = failed.length > 0 ? [] : names;
    return { ready, failed, abilities: this.#abilities(ready) };
  }

  /** Waits for power offs in flight, and ends what jobs left on in this process. */
  async leave(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.leave()));
  }

  /** Whether a holder's switch of the power is under way on one of them. */
  get areSwitching(): boolean {
    return [...this.#runners.values()].some((runner) => runner.isSwitching);
  }

  #abilities(names: readonly string[]): Offer['abilities'] {
    return names.flatMap((board) => {
      const driver = this.#runners.get(board)?.driver;
      const can = driver ? abilitiesOf(driver) : [];
      return can.length > 0 ? [{ board, can }] : [];
    });
  }

  #failed(names: readonly string[]): { board: string; why: string }[] {
    return names.flatMap((board) => {
      const why = this.#whyFailed(board);
      return why === undefined ? [] : [{ board, why }];
    });
  }

  #whyFailed(name: string): string | undefined {
    return this.#undrivable.get(name) ?? this.#runners.get(name)?.failure;
  }

  #give(name: string, machine: MachineSpec): void {
    const runner = this.#runners.get(name);
    if (runner && JSON.stringify(runner.machine) === JSON.stringify(machine)) return;
    try {
      const driver = this.#options.drivers(machine);
      if (runner) runner.useMachine(machine, driver);
      else this.#runners.set(name, this.#makeRunner(name, machine, driver));
    } catch (error) {
      this.#undrivable.set(name, error instanceof Error ? error.message : String(error));
      this.#options.logger.error('a board can not be driven', { board: name, error });
    }
  }

  #makeRunner(name: string, machine: MachineSpec, driver: BoardDriver): BoardRunner {
    const { files, clock, hooks, cleared } = this.#options;
    return new BoardRunner({ name, machine, driver, files, clock, hooks, cleared });
  }

  /** For a machine that can't be driven any more: its power off fails, and says why. */
  #driverOrNone(machine: MachineSpec): BoardDriver {
    try {
      return this.#options.drivers(machine);
    } catch (error) {
      const fail = (): Promise<never> => Promise.reject(error);
      return { watches: false, start: fail, powerOff: fail };
    }
  }
}

function abilitiesOf(driver: BoardDriver): BoardAbility[] {
  return [
    ...(driver.powerOn ? (['power-on'] as const) : []),
    ...(driver.powerStatus ? (['power-status'] as const) : []),
    ...(driver.openConsole ? (['console'] as const) : []),
  ];
}
