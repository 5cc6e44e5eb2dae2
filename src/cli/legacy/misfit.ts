// Why no board of a target can take a job, in the old scripts' words. Pure.
import { type BoardListing, fileCountProblem, type LabListing, linuxProblem } from '../../protocol/lab.ts';

export interface JobShape {
  readonly count: number;
  readonly linux: boolean;
  readonly dtb: boolean;
}

/** The first member's problem; undefined where the target is no board or pool of the lab, or a member has none. */
export function misfitLine(lab: LabListing, target: string, job: JobShape): string | undefined {
  for (const board of membersOf(lab, target)) {
    const problem = linuxProblem(board, job) ?? fileCountProblem(board, job);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function membersOf(lab: LabListing, target: string): BoardListing[] {
  const names = lab.pools.find((pool) => pool.name === target)?.boards ?? target.split(',');
  return names.flatMap(
    (name) => lab.boards.find((board) => board.name === name || board.aliases.includes(name)) ?? [],
  );
}
