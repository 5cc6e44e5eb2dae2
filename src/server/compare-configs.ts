// How one configuration of a lab differs from another, in the words of its file. Pure.
import type { ConfigChange, ConfigProblem } from '../protocol/config-change.ts';
import type { BoardConfig, LabConfig, Limits, Retention } from '../protocol/lab.ts';

type Setting = Exclude<keyof LabConfig, 'boards' | 'pools' | 'limits' | 'retention'>;

/** The keys of the file. */
const settingNames: Readonly<Record<Setting, string>> = {
  name: 'lab',
  socketGroup: 'socket_group',
  listen: 'listen',
  priorityHigh: 'priority',
  force: 'force',
  admins: 'admins',
  discipline: 'discipline',
  gatherSeconds: 'gather_max',
  setFromKey: 'set_from_key',
  lockFiles: 'lock_files',
  mail: 'mail',
};

const limitNames: Readonly<Record<keyof Limits, string>> = {
  ticketsPerUser: 'limits.tickets_per_user',
  queueLength: 'limits.queue_length',
  imageBytesMax: 'limits.image_bytes_max',
  imagesBytesMax: 'limits.images_bytes_max',
  logBytesMax: 'limits.log_bytes_max',
  jobSecondsMax: 'limits.job_max',
  adHocQueuesPerBoard: 'limits.ad_hoc_queues_per_board',
  boardsPerTicket: 'limits.boards_per_ticket',
  openStreams: 'limits.open_streams',
  streamsPerUser: 'limits.streams_per_user',
  connections: 'limits.connections',
  uploads: 'limits.uploads',
  consoleReaders: 'limits.console_readers',
  waitSecondsMax: 'limits.wait_max',
};

const retentionNames: Readonly<Record<keyof Retention, string>> = {
  logSeconds: 'retention.logs',
  imageSeconds: 'retention.images',
  jobSeconds: 'retention.jobs',
  ticketSeconds: 'retention.tickets',
  auditSeconds: 'retention.audit',
  diskBytesMax: 'retention.disk_max',
};

/** What is made once, at the start of the process: the socket and whose it is. */
const fixedSettings: readonly Setting[] = ['socketGroup', 'listen'];

export function compareConfigs(
  before: LabConfig,
  after: LabConfig,
  about: {
    /** What the process was started with. */
    readonly started: LabConfig;
    /** Boards that are in no configuration any more and still in use. */
    readonly leaving: readonly string[];
    readonly warnings: readonly ConfigProblem[];
  },
): ConfigChange {
  const boards = compareNamed(before.boards, after.boards);
  const renamed = findRenamed(boards, after.boards);
  const isRenamed = new Set(renamed.flatMap(({ from, to }) => [from, to]));
  return {
    boards: {
      added: boards.added.filter((name) => !isRenamed.has(name)),
      removed: boards.removed.filter((name) => !isRenamed.has(name)),
      changed: boards.changed,
      renamed,
      leaving: boards.removed.filter((name) => about.leaving.includes(name)),
    },
    pools: compareNamed(before.pools, after.pools),
    settings: [
      ...differing(before, after, settingNames),
      ...differing(before.limits, after.limits, limitNames),
      ...differing(before.retention, after.retention, retentionNames),
    ],
    atNextStart: fixedSettings
      .filter((key) => !isSame(about.started[key], after[key]))
      .map((key) => settingNames[key]),
    warnings: [...about.warnings],
  };
}

function compareNamed<Item extends { readonly name: string }>(
  before: readonly Item[],
  after: readonly Item[],
): { added: string[]; removed: string[]; changed: string[] } {
  const old = new Map(before.map((item) => [item.name, item]));
  const present = new Set(after.map((item) => item.name));
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !present.has(name)).map(({ name }) => name),
    changed: after
      .filter((item) => old.has(item.name) && !isSame(old.get(item.name), item))
      .map(({ name }) => name),
  };
}

function findRenamed(
  { added, removed }: { added: readonly string[]; removed: readonly string[] },
  boards: readonly BoardConfig[],
): { from: string; to: string }[] {
  return boards
    .filter(({ name }) => added.includes(name))
    .flatMap(({ name, aliases }) =>
      aliases.filter((alias) => removed.includes(alias)).map((from) => ({ from, to: name })),
    );
}

function differing<Settings extends object>(
  before: Settings,
  after: Settings,
  names: { readonly [Key in keyof Settings]?: string },
): string[] {
  const keys = Object.keys(names) as (keyof Settings)[];
  return keys.filter((key) => !isSame(before[key], after[key])).map((key) => names[key] ?? '');
}

/** Both are plain JSON, made by the same code in the same order. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
