// All metrics of a running lab, as Prometheus reads them; and whether the lab is well. docs/operations.md lists them.
import { statfs } from 'node:fs/promises';
import type { TicketOutcome, Verdict } from '../../domain/records.ts';
import type { LabServer } from '../lab-server.ts';
import { type Family, formatFamilies, type Sample } from './exposition.ts';
import { gauge, snapshot } from './snapshot.ts';
import { otherTargets } from './tally.ts';

const outcomes: readonly TicketOutcome['kind'][] = [
  'confirmed',
  'started',
  'withdrawn',
  'timed-out',
  'refused',
];
const verdicts: readonly Verdict[] = [
  'completed',
  'error-text',
  'timed-out',
  'boot-failed',
  'lab-fault',
  'cancelled',
];
/** With less than this a commit has no room. */
const freeBytesMin = 4 * 1024 * 1024;

export async function scrapeMetrics(lab: LabServer): Promise<string> {
  const families = await lab.core.read((state) => {
    const pools = new Set([...state.lab.pools.map(({ name }) => name), ...otherTargets]);
    // Pools that the configuration has no more would add up.
    for (const label of lab.tally.waits.keys()) if (!pools.has(label)) lab.tally.waits.delete(label);
    return snapshot(state, lab.clock.wallAt());
  });
  return formatFamilies([
    ...families,
    ...tallied(lab),
    ...connected(lab),
    ...(await diskFamilies(lab)),
    ...processFamilies(lab),
  ]);
}

function tallied({ tally, consoles }: LabServer): Family[] {
  const { failedCommits, endedTickets, endedJobs } = tally;
  return [
    {
      name: 'mq_ticket_wait_seconds',
      help: 'From the submit to the lock, by pool.',
      type: 'histogram',
      series: [...tally.waits].map(([pool, histogram]) => ({ labels: { pool }, histogram })),
    },
    counter(
      'mq_tickets_ended_total',
      'Tickets that have ended, by outcome.',
      by('outcome', outcomes, endedTickets),
    ),
    counter('mq_jobs_ended_total', 'Jobs that have ended, by verdict.', by('verdict', verdicts, endedJobs)),
    {
      name: 'mq_commit_seconds',
      help: 'How long the store took for a batch.',
      type: 'histogram',
      series: [{ histogram: tally.commitTime }],
    },
    {
      name: 'mq_commit_commands',
      help: 'Commands in a batch.',
      type: 'histogram',
      series: [{ histogram: tally.commitSize }],
    },
    counter(
      'mq_commits_failed_total',
      'Batches that the store did not take: refused (a full disk), rejected (a bug).',
      (['refused', 'rejected'] as const).map((why) => ({ labels: { why }, value: failedCommits[why] })),
    ),
    counter('mq_console_bytes_total', 'Console bytes that have come from boards.', [
      { value: consoles.takenBytes },
    ]),
    counter('mq_wrong_tokens_total', 'Requests over TCP with a wrong token.', [{ value: tally.wrongTokens }]),
  ];
}

function connected({ sessions, agents }: LabServer): Family[] {
  const all = [...sessions.all()];
  const streams = all.reduce((sum, session) => sum + session.streams.size, 0);
  return [
    gauge('mq_clients', 'Clients that are connected.', [{ value: all.length }]),
    gauge('mq_streams', 'Consoles that are followed.', [{ value: streams }]),
    gauge('mq_agent_connected', 'Whether the agent of this host is there.', [
      { value: agents.isConnected ? 1 : 0 },
    ]),
  ];
}

async function diskFamilies(lab: LabServer): Promise<Family[]> {
  const { diskUse: use } = lab;
  const { bavail, bsize } = await statfs(lab.stateFolder);
  const parts = use ? { log: use.logBytes, image: use.imageBytes, other: use.otherBytes } : {};
  return [
    gauge(
      'mq_state_bytes',
      'Bytes of the state folder, by kind. Absent until they were first measured.',
      Object.entries(parts).map(([kind, value]) => ({ labels: { kind }, value })),
    ),
    gauge('mq_state_bytes_max', "The configuration's disk_max.", [
      { value: lab.config.retention.diskBytesMax },
    ]),
    gauge('mq_disk_free_bytes', 'What the disk of the state folder has left.', [{ value: bavail * bsize }]),
  ];
}

function processFamilies({ tally, version }: LabServer): Family[] {
  const { user, system } = process.cpuUsage();
  return [
    gauge('mq_info', 'The version of the server.', [{ labels: { version }, value: 1 }]),
    counter('process_cpu_seconds_total', 'CPU time of the server.', [{ value: (user + system) / 1e6 }]),
    gauge('process_resident_memory_bytes', 'Memory of the server.', [{ value: process.memoryUsage.rss() }]),
    gauge('process_start_time_seconds', 'When the server was started.', [
      { value: performance.timeOrigin / 1000 },
    ]),
    {
      name: 'mq_event_loop_lag_seconds',
      help: 'How late a timer of the server was, looked at twice a second.',
      type: 'histogram',
      series: [{ histogram: tally.lag }],
    },
  ];
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'counter', samples };
}

function by<Value extends string>(
  label: string,
  values: readonly Value[],
  found: ReadonlyMap<Value, number>,
): Sample[] {
  return values.map((value) => ({ labels: { [label]: value }, value: found.get(value) ?? 0 }));
}

/** Why the lab can't store what it is asked for, or undefined where it can. */
export async function findTrouble(lab: LabServer, now = performance.now()): Promise<string | undefined> {
  const trouble = lab.core.troubleAt(now);
  if (trouble !== undefined) return trouble;
  const { bavail, bsize } = await statfs(lab.stateFolder);
  return bavail * bsize < freeBytesMin ? 'the disk of the state folder is full' : undefined;
}
