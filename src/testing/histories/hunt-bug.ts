// Whether real processes with a planted mistake are found out. By a crash at a commit, or by what chance does to them, seed by seed.

import type { HistoryBug } from '../planted-bugs/history-bugs.ts';
import { playWithProcesses } from './crash-processes.ts';
import { playKilledAgent } from './killed-agent.ts';
import { runHistory } from './run-history.ts';

/** A confirm, in the middle of a hand over. */
const crashAt = { commit: 6, when: 'before' } as const;
const storm = { kills: 10, persons: 14, commands: 2, calm: false };

/** What gave it away; undefined: nothing did. */
export async function huntBug(
  { name: planted, shownBy }: HistoryBug,
  { seedsMax }: { readonly seedsMax: number },
): Promise<string | undefined> {
  if (shownBy === 'crash') {
    // A client that is refused what it has a right to ends the scenario.
    const { problems } = await playWithProcesses(crashAt, { planted }).catch((error: unknown) => ({
      problems: [`the scenario broke off: ${String(error)}`],
    }));
    return problems[0];
  }
  if (shownBy === 'killed-agent') return (await playKilledAgent({ planted })).problems[0];
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { problems } = await runHistory({ seed, ...storm, planted });
    if (problems[0] !== undefined) return `seed ${seed}: ${problems[0]}`;
  }
  return undefined;
}
