// An agent that is killed while a board is busy, and a job after it on the same board: what the first one left must be gone
// before anything else touches the board.

import { setTimeout as sleep } from 'node:timers/promises';
import { openUnix } from '../../cli/connect/open-unix.ts';
import { connectClient } from '../../client/client.ts';
import { submitTicket } from '../../client/ticket.ts';
import { uploadMissing } from '../../client/upload.ts';
import { systemClock } from '../../platform/clock.ts';
import { IdSource } from '../../platform/ids.ts';
import type { History } from './history.ts';
import { judge } from './judge.ts';
import { LabProcesses, within } from './lab-processes.ts';
import { Recorder } from './recorder.ts';
import { jobOf } from './wishes.ts';

/** Far longer than a new agent takes to come up. */
const busySeconds = 20;
const lookMs = 20;

export interface KilledAgentReport {
  readonly problems: readonly string[];
  readonly verdicts: readonly (string | undefined)[];
}

export async function playKilledAgent({ planted }: { planted?: string } = {}): Promise<KilledAgentReport> {
  const problems: string[] = [];
  const shape = { boards: ['a'], pools: { one: ['a'] }, discipline: 'turns' } as const;
  const lab = await LabProcesses.make({ shape, planted, onComplaint: (line) => problems.push(line) });
  try {
    lab.start();
    await lab.ready();
    const recorder = new Recorder();
    const verdicts = await playJobs(lab, recorder);
    const { calls, news, absences, events } = recorder;
    const seen = { calls, news, absences, events, touches: await lab.touches(), jobs: [] };
    const history: History = { seed: 0, isOver: false, boards: shape.boards, pools: shape.pools, ...seen };
    problems.push(...judge(history).problems);
    return { problems, verdicts };
  } finally {
    await lab.close();
  }
}

/** The verdict of the job that was cut short, and of the one behind it. */
async function playJobs(lab: LabProcesses, recorder: Recorder): Promise<(string | undefined)[]> {
  const ids = new IdSource();
  const client = await connectClient({
    openLink: recorder.link('ana', openUnix(lab.socketPath)),
    timers: { now: systemClock.nowMs, after: systemClock.setTimer },
    newRequestId: () => ids.next(),
    reconnectSeconds: 60,
  });
  const run = async (key: string, pause: number) => {
    const about = { key, kind: 'run', target: 'a', lines: 1, pause, isDetached: false } as const;
    const { wish, source } = jobOf(about);
    await uploadMissing(client, [source]);
    return submitTicket(client, wish);
  };
  try {
    const long = await run('long', busySeconds);
    const isRunning = async () => (await lab.touches()).some(({ what }) => what === 'start');
    await within(until(isRunning), 'the board to be busy');
    if (!(await lab.killAgent())) throw new Error('there was no agent to kill');
    recorder.event('agent killed');
    const next = await run('next', 0);
    const ended = [long, next].map((ticket) => within(ticket.jobEnded(), `job ${ticket.id} to end`));
    return (await Promise.all(ended)).map(({ verdict }) => verdict);
  } finally {
    client.close();
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(lookMs);
}
