// One run of the whole lab from a seed: so many scheduler steps of trouble, then peace, in which everything must come to
// its end. The program that calls it must have loaded hooks.ts first.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../simulation/random.ts';
import { heal, type TroubleKind, trouble, troubleKinds } from './trouble.ts';
import { World } from './world.ts';

export interface WholeOptions {
  readonly seed: number;
  /** Scheduler steps before peace comes. */
  readonly steps: number;
  /** What goes wrong; some of everything, by the seed, where it is not said. */
  readonly kinds?: readonly TroubleKind[];
  /** Clients at once. */
  readonly peopleMax?: number;
  /** See WorldOptions; by the seed, where it is not said. */
  readonly badLuck?: number;
}

export interface WholeReport {
  readonly seed: number;
  readonly kinds: readonly TroubleKind[];
  readonly peopleMax: number;
  /** What was asked for; a run that breaks a promise only after peace came has taken more. */
  readonly stepsMax: number;
  readonly steps: number;
  readonly commits: number;
  readonly simulatedSeconds: number;
  /** Lives of servers. */
  readonly starts: number;
  readonly refusedCommits: number;
  readonly grants: number;
  readonly reclaims: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Broken promises; the run stops at the first. */
  readonly problems: readonly string[];
  /** What happened last, where a promise was broken. */
  readonly trace: readonly string[];
}

/** Where there is one: how long a real disk takes is no matter of the simulation. */
const memoryFolder = '/dev/shm';

/** Simulated time after which a lab at peace must be empty. */
const peaceMsMax = 30 * 60_000;

export async function simulateWhole({ seed, steps, ...options }: WholeOptions): Promise<WholeReport> {
  const folder = mkdtempSync(join(existsSync(memoryFolder) ? memoryFolder : tmpdir(), 'whole-lab-'));
  const { kinds = pickKinds(seed), peopleMax = 30, badLuck = seed % 3 === 0 ? 4 : 1 } = options;
  const world = new World({ seed, kinds: new Set(kinds), peopleMax, badLuck, folder });
  const onRejection = (reason: unknown): void => {
    if ((reason as Error | undefined)?.name === 'ProcessEnded') return;
    world.judge.fail(`nobody handled: ${reason instanceof Error ? reason.stack : String(reason)}`);
  };
  process.on('unhandledRejection', onRejection);
  const startMs = world.host.nowMs;
  try {
    await run(world, steps);
  } catch (error) {
    world.judge.fail(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    endAll(world);
    process.off('unhandledRejection', onRejection);
    rmSync(folder, { recursive: true, force: true });
  }
  return { seed, kinds, peopleMax, stepsMax: steps, ...report(world, startMs) };
}

/** Most of it, and each seed without something else: what always happens hides what only happens without it. */
function pickKinds(seed: number): TroubleKind[] {
  const random = new Random(seed ^ 0x5eed);
  return troubleKinds.filter(() => random.chance(0.8));
}

async function run(world: World, steps: number): Promise<void> {
  const { host, server, judge } = world;
  server.start();
  trouble(world);
  while (judge.steps < steps && judge.problems.length === 0) await host.next();
  if (judge.problems.length > 0) return;
  heal(world);
  const untilMs = host.nowMs + peaceMsMax;
  while (judge.problems.length === 0 && !(isOver(world) && server.checkNow())) {
    if (host.nowMs > untilMs) return judge.fail(`after peace came the lab did not drain: ${describe(world)}`);
    await host.next();
  }
}

/** Nothing is left, and nobody but who looks after the lab. */
function isOver({ judge, server, people }: World): boolean {
  return judge.isEmpty && server.isUp && [...people].every(({ user }) => user === 'root');
}

function describe({ judge, people }: World): string {
  const names = [...people].map(({ process, doing }) => `${process.name} ${doing}`).join(', ');
  return `${names}\n  ${judge.leftovers()}`;
}

function endAll({ server, agent, people }: World): void {
  for (const person of [...people]) person.process.kill();
  server.process.kill();
  agent.kill('the run is over');
}

function report(
  { host, server, judge }: World,
  startMs: number,
): Omit<WholeReport, 'seed' | 'kinds' | 'peopleMax' | 'stepsMax'> {
  const { order, reclaims, history } = judge.checker;
  return {
    steps: judge.steps,
    commits: judge.commits,
    simulatedSeconds: Math.round((host.nowMs - startMs) / 1000),
    starts: server.lives,
    refusedCommits: server.refusals,
    grants: order.judged,
    reclaims: reclaims.reclaimed,
    outcomes: Object.fromEntries([...history.outcomes].sort()),
    problems: judge.problems,
    trace: judge.problems.length > 0 ? judge.trace.lines() : [],
  };
}
