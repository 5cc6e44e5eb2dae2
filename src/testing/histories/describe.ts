// What a run of histories comes to, in words. Pure.

import type { Figures, HistoryOptions, HistoryReport } from './run-history.ts';

export function sumFigures(all: readonly Figures[]): Figures {
  const sum = (of: (figures: Figures) => number): number => all.reduce((total, one) => total + of(one), 0);
  return {
    calls: sum((one) => one.calls),
    answered: sum((one) => one.answered),
    kills: sum((one) => one.kills),
    agentKills: sum((one) => one.agentKills),
    clientKills: sum((one) => one.clientKills),
    pauses: sum((one) => one.pauses),
    cuts: sum((one) => one.cuts),
    stalls: sum((one) => one.stalls),
    locks: sum((one) => one.locks),
    jobs: sum((one) => one.jobs),
    touches: sum((one) => one.touches),
    ordered: sum((one) => one.ordered),
    pairs: sum((one) => one.pairs),
    seconds: sum((one) => one.seconds),
  };
}

/** For a run in which nothing was found. */
export function describeFigures(figures: Figures): string {
  const { kills, agentKills, clientKills, pauses, cuts, stalls } = figures;
  const { calls, answered, locks, jobs, touches, ordered, pairs, seconds } = figures;
  return (
    `${kills} kills of the server, ${agentKills} of the agent, ${clientKills} of clients, ${pauses} pauses, ${cuts} lines cut, ` +
    `${stalls} stalled; ${calls} calls (${answered} answered), ${locks} locks, ${jobs} jobs, ${touches} touches of boards; ` +
    `${ordered} operations put in order, ${pairs} pairs of tickets compared: 0 lost, 0 double, in ${seconds.toFixed(0)} s`
  );
}

/** The command that runs the same seed again. */
export function replayCommand({ seed, kills, persons, commands, calm }: HistoryOptions): string {
  const words = `--seed ${seed} --kills ${kills} --persons ${persons} --commands ${commands}`;
  return `npm run histories -- ${words}${calm ? ' --calm' : ''}`;
}

export function describeFailure({ problems }: HistoryReport, options: HistoryOptions): string {
  return [
    `Seed ${options.seed}: what its clients saw can't be explained.`,
    ...problems.map((problem) => `  ${problem.replaceAll('\n', '\n  ')}`),
    'The same again (the machine has its say in when things happen, so it may take some runs):',
    `  ${replayCommand(options)}`,
  ].join('\n');
}
