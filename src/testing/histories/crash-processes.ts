// The scenario against real processes, with a server that is killed at one commit and started again.

import { userInfo } from 'node:os';
import { openUnix } from '../../cli/connect/open-unix.ts';
import type { History } from './history.ts';
import { judge } from './judge.ts';
import { LabProcesses, type LabShape } from './lab-processes.ts';
import { playScenario } from './scenario.ts';
import type { StopAt } from './stopping-store.ts';

export interface CrashReport {
  /** How the lab stood at the end; to be compared with that of another run. */
  readonly end: unknown;
  /** Commits of the first server. */
  readonly commits: number;
  readonly crashed: boolean;
  readonly problems: readonly string[];
}

const never: StopAt = { commit: Number.MAX_SAFE_INTEGER, when: 'before' };
export const scenarioShape: LabShape = {
  boards: ['a', 'b', 'c'],
  pools: { bc: ['b', 'c'] },
  discipline: 'turns',
};

/** Without a commit to stop at: once from beginning to end, to count them. */
export async function playWithProcesses(
  at: StopAt = never,
  { planted }: { planted?: string } = {},
): Promise<CrashReport> {
  const problems: string[] = [];
  let commits = 0;
  let crashed = false;
  const lab = await LabProcesses.make({
    shape: scenarioShape,
    planted,
    onComplaint: (line) => problems.push(line),
    onLog: (text) => {
      commits += text.split('\n').filter((line) => line === 'commit').length;
    },
  });
  try {
    lab.start(dyingAt(at));
    // Also where it does not live to be ready.
    const died = lab.ended().then(() => {
      crashed = true;
      lab.start();
    });
    died.catch(() => undefined);
    const played = await playScenario({
      openLink: openUnix(lab.socketPath),
      user: userInfo().username,
      addBoard: () => lab.configure({ ...scenarioShape, boards: [...scenarioShape.boards, 'd'] }),
    });
    const { end, unlike, ...seen } = played;
    const { boards, pools } = lab.shape;
    const touches = await lab.touches();
    const history: History = { seed: 0, isOver: true, boards, pools, ...seen, touches, events: [] };
    problems.push(...unlike, ...judge(history).problems);
    return { end, commits, crashed, problems };
  } finally {
    await lab.close();
  }
}

/** Gives the server a store that stops there. */
function dyingAt({ commit, when }: StopAt): { hooks: string[] } {
  const hooks = new URL('die-at-commit.ts', import.meta.url);
  hooks.search = `?commit=${commit}&when=${when}`;
  return { hooks: [hooks.href] };
}
