// One run of the simulation, from a seed: a lab full of trouble for so many steps, then peace, in which every queue must
// drain. Invariants are judged after each step.
import { heal, trouble } from './admin.ts';
import type { Recording } from './recording.ts';
import { World } from './world.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** Scheduler steps before peace comes. */
  readonly steps: number;
  /** Takes what the scheduler is given. */
  readonly recording?: Recording;
}

export interface SimulationReport {
  readonly seed: number;
  /** As it was asked for. */
  readonly stepsMax: number;
  readonly steps: number;
  readonly simulatedSeconds: number;
  readonly grants: number;
  readonly reclaims: number;
  readonly crashes: number;
  /** Locks that old clients took by files. */
  readonly takenByFile: number;
  readonly refusedCommits: number;
  /** Tickets by how they ended. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Broken promises; the run stops at the first step that breaks one. */
  readonly problems: readonly string[];
  /** The last commands, where a promise was broken. */
  readonly trace: readonly string[];
}

/** Simulated time after which a lab at peace must be empty. */
const peaceMsMax = 30 * 60_000;

export function simulate(options: SimulationOptions): SimulationReport {
  const world = new World(options.seed, options.recording);
  const { server, agenda } = world;
  const startMs = agenda.nowMs;
  server.start();
  server.post({ name: 'configure', body: { lab: world.lab, by: 'root' } });
  trouble(world);
  try {
    runTo(world, options.steps);
    if (server.problems.length === 0) drain(world);
  } catch (error) {
    world.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { order, reclaims, history } = server.checker;
  return {
    seed: options.seed,
    stepsMax: options.steps,
    steps: server.steps,
    simulatedSeconds: Math.round((agenda.nowMs - startMs) / 1000),
    grants: order.judged,
    reclaims: reclaims.reclaimed,
    crashes: server.crashes,
    takenByFile: world.lockFiles.taken,
    refusedCommits: server.refusals,
    outcomes: Object.fromEntries([...history.outcomes].sort()),
    problems: server.problems,
    trace: server.problems.length > 0 ? server.trace.lines() : [],
  };
}

/** A function of its own: it is what the compiler makes fast, and what follows it must not undo that. */
function runTo({ server, agenda }: World, steps: number): void {
  while (server.steps < steps && server.problems.length === 0) agenda.next();
}

function drain(world: World): void {
  const { server, agenda } = world;
  heal(world);
  const untilMs = agenda.nowMs + peaceMsMax;
  while (!isEmpty(world) && server.problems.length === 0) {
    if (agenda.nowMs > untilMs)
      return world.fail(`after peace came the lab did not drain: ${leftovers(world)}`);
    agenda.next();
  }
  server.problems.push(...server.checker.checkAll(server.state));
}

function isEmpty({ server, lockFiles }: World): boolean {
  const { state } = server;
  return (
    lockFiles.isEmpty &&
    server.isUp &&
    state.tickets.size + state.locks.size + state.jobs.size === 0 &&
    server.steps > 0
  );
}

function leftovers({ server }: World): string {
  const { tickets, locks, jobs, boards } = server.state;
  const parts = [tickets, locks, jobs, boards].map((records) => JSON.stringify([...records.values()]));
  return parts.join('\n  ');
}
