/** Turns a lab's file that is right into the lab that server and clients share. Pure. */
import {
  type BoardConfig,
  defaultLimits,
  defaultRetention,
  type FileRange,
  type FileRules,
  gatherSecondsDefault,
  type LabConfig,
  type Limits,
  type PoolConfig,
  type Retention,
  waitSecondsForEver,
} from '../../protocol/lab.ts';
import type { ConfigProblem } from './problem.ts';
import { resolveListen } from './resolve-listen.ts';
import { resolveMachine } from './resolve-machine.ts';
import { resolveMail } from './resolve-mail.ts';
import { attributeNames, type SourceBoard } from './schema/board.ts';
import type { SourceRange } from './schema/files.ts';
import type { SourceLab } from './schema/lab.ts';
import type { SourcePool } from './schema/pool.ts';
import type { Path, Source } from './source.ts';
import { parseDurationSeconds, parseSizeBytes } from './units.ts';
import { warningsOf } from './warnings.ts';

/** The file must have passed checkShape and checkLab. */
export function resolveLab(source: Source): { config: LabConfig; warnings: ConfigProblem[] } {
  const lab = source.value as SourceLab;
  const plain = inFileOrder(source, ['boards'], lab.boards).map(([name, board]) =>
    resolveBoard(source, name, board, lab),
  );
  const pools = resolvePools(source, lab.pools ?? {}, plain);
  const boards = limitUse(limitForce(plain, pools, lab), pools, lab);
  const config: LabConfig = {
    name: source.text(['lab']) ?? '',
    boards,
    pools,
    ...(lab.socket_group === undefined ? {} : { socketGroup: lab.socket_group }),
    ...(lab.listen === undefined ? {} : { listen: resolveListen(lab.listen) }),
    priorityHigh: lab.priority?.high ?? [],
    force: lab.force ?? 'anyone',
    admins: lab.admins ?? [],
    discipline: lab.discipline ?? 'turns',
    gatherSeconds: parseDurationSeconds(lab.gather_max ?? '') ?? gatherSecondsDefault,
    ...(lab.set_from_key === undefined ? {} : { setFromKey: lab.set_from_key }),
    ...(lab.lock_files === undefined ? {} : { lockFiles: lab.lock_files }),
    ...(lab.mail === undefined ? {} : { mail: resolveMail(lab.mail) }),
    limits: resolveLimits(lab.limits ?? {}),
    retention: resolveRetention(lab.retention ?? {}),
  };
  return { config, warnings: warningsOf(source, config) };
}

function resolvePools(
  source: Source,
  pools: NonNullable<SourceLab['pools']>,
  boards: readonly BoardConfig[],
): PoolConfig[] {
  const ownNames = new Map(
    boards.flatMap((board) => [board.name, ...board.aliases].map((name) => [name, board.name])),
  );
  return inFileOrder(source, ['pools'], pools).map(([name, pool]) => {
    const settings: SourcePool = Array.isArray(pool) ? { boards: pool } : pool;
    const where = selectorOf(source, name);
    const members =
      where === undefined
        ? (settings.boards ?? []).map((member) => ownNames.get(member) ?? member)
        : boards.filter((board) => matches(board, where)).map((board) => board.name);
    return { name, boards: members, spread: settings.spread ?? false };
  });
}

function inFileOrder<Value>(source: Source, path: Path, named: Record<string, Value>): [string, Value][] {
  return source.keys(path).map((key) => [key, named[key] as Value]);
}

function resolveBoard(source: Source, name: string, own: SourceBoard, lab: SourceLab): BoardConfig {
  const attributes: Record<string, string> = {};
  const take = (attribute: string, at: Path) => {
    const text = source.text(at);
    if (text !== undefined) attributes[attribute] = text;
  };
  const type = own.type === undefined ? undefined : lab.types?.[own.type];
  // The board's own come last, and so win.
  const paths = [...(own.type === undefined ? [] : [['types', own.type]]), ['boards', name]];
  for (const path of paths) for (const attribute of attributeNames) take(attribute, [...path, attribute]);
  for (const path of paths) {
    for (const tag of source.keys([...path, 'tags'])) take(tag, [...path, 'tags', tag]);
  }
  const board = { ...type, ...own };
  return {
    name,
    aliases: own.aliases ?? [],
    attributes,
    files: resolveFiles(board.files ?? 1),
    takesLinux: board.linux ?? false,
    takesDtb: board.dtb ?? false,
    ...(own.lock_file === undefined ? {} : { lockFile: own.lock_file }),
    ...useLimitsOf(board),
    ...(board.between_holders === 'leave' ? { betweenHolders: 'leave' as const } : {}),
    machine: resolveMachine(board, { source, name, paths: paths.toReversed(), units: lab.power_units ?? {} }),
  };
}

type UseLimits = Pick<BoardConfig, 'holdMaxSeconds' | 'idleMaxSeconds'>;

function useLimitsOf(settings: { hold_max?: string; idle_max?: string }): UseLimits {
  const holdMaxSeconds = settings.hold_max && parseDurationSeconds(settings.hold_max);
  const idleMaxSeconds = settings.idle_max && parseDurationSeconds(settings.idle_max);
  return { ...(holdMaxSeconds ? { holdMaxSeconds } : {}), ...(idleMaxSeconds ? { idleMaxSeconds } : {}) };
}

/** What neither a board nor its type says comes from its pools, the strictest first; then from the whole lab. */
function limitUse(
  boards: readonly BoardConfig[],
  pools: readonly PoolConfig[],
  lab: SourceLab,
): BoardConfig[] {
  const ofLab = useLimitsOf(lab);
  const ofPools = pools.flatMap(({ name, boards }) => {
    const pool = lab.pools?.[name];
    const limits = pool === undefined || Array.isArray(pool) ? {} : useLimitsOf(pool);
    return Object.keys(limits).length === 0 ? [] : [{ boards: new Set(boards), limits }];
  });
  return boards.map((board) => {
    const around = ofPools.filter(({ boards }) => boards.has(board.name)).map(({ limits }) => limits);
    return { ...ofLab, ...strictest(around), ...board };
  });
}

/** Of several pools that say who may force, the strictest counts; where none does, the lab's own rule. */
function limitForce(
  boards: readonly BoardConfig[],
  pools: readonly PoolConfig[],
  lab: SourceLab,
): BoardConfig[] {
  const rules = pools.flatMap(({ name, boards }) => {
    const pool = lab.pools?.[name];
    return pool === undefined || Array.isArray(pool) || pool.force === undefined
      ? []
      : [{ boards, force: pool.force }];
  });
  return boards.map((board) => {
    const around = rules.filter(({ boards }) => boards.includes(board.name)).map(({ force }) => force);
    if (around.length === 0) return board;
    return { ...board, force: around.includes('admin') ? 'admin' : 'anyone' };
  });
}

function strictest(all: readonly UseLimits[]): UseLimits {
  const least = (key: keyof UseLimits) => {
    const values = all.map((limits) => limits[key]).filter((value) => value !== undefined);
    return values.length === 0 ? {} : { [key]: Math.min(...values) };
  };
  return { ...least('holdMaxSeconds'), ...least('idleMaxSeconds') };
}

function resolveFiles(files: NonNullable<SourceBoard['files']>): FileRules {
  if (typeof files === 'number' || files.min !== undefined || files.max !== undefined) {
    const range = resolveRange(files);
    return { plain: range, linux: range };
  }
  const plain = resolveRange(files.default ?? 1);
  return { plain, linux: files.linux === undefined ? plain : resolveRange(files.linux) };
}

function resolveRange(range: SourceRange): FileRange {
  if (typeof range === 'number') return { min: range, max: range };
  return { min: range.min ?? 1, max: range.max ?? 2 };
}

/** What a pool's boards must have, as text; undefined where the pool is a list. */
function selectorOf(source: Source, pool: string): Map<string, string> | undefined {
  const path = ['pools', pool, 'where'];
  const keys = source.keys(path);
  if (keys.length === 0) return undefined;
  return new Map(keys.map((key) => [key, source.text([...path, key]) ?? '']));
}

function matches(board: BoardConfig, where: ReadonlyMap<string, string>): boolean {
  return [...where].every(([key, value]) => board.attributes[key] === value);
}

function resolveLimits(limits: NonNullable<SourceLab['limits']>): Limits {
  return {
    ticketsPerUser: limits.tickets_per_user ?? defaultLimits.ticketsPerUser,
    queueLength: limits.queue_length ?? defaultLimits.queueLength,
    imageBytesMax: size(limits.image_bytes_max, defaultLimits.imageBytesMax),
    imagesBytesMax: size(limits.images_bytes_max, defaultLimits.imagesBytesMax),
    logBytesMax: size(limits.log_bytes_max, defaultLimits.logBytesMax),
    jobSecondsMax: duration(limits.job_max, defaultLimits.jobSecondsMax),
    adHocQueuesPerBoard: limits.ad_hoc_queues_per_board ?? defaultLimits.adHocQueuesPerBoard,
    boardsPerTicket: limits.boards_per_ticket ?? defaultLimits.boardsPerTicket,
    openStreams: limits.open_streams ?? defaultLimits.openStreams,
    streamsPerUser: limits.streams_per_user ?? defaultLimits.streamsPerUser,
    connections: limits.connections ?? defaultLimits.connections,
    uploads: limits.uploads ?? defaultLimits.uploads,
    consoleReaders: limits.console_readers ?? defaultLimits.consoleReaders,
    waitSecondsMax: Math.min(duration(limits.wait_max, defaultLimits.waitSecondsMax), waitSecondsForEver),
  };
}

function resolveRetention(retention: NonNullable<SourceLab['retention']>): Retention {
  return {
    logSeconds: duration(retention.logs, defaultRetention.logSeconds),
    imageSeconds: duration(retention.images, defaultRetention.imageSeconds),
    jobSeconds: duration(retention.jobs, defaultRetention.jobSeconds),
    ticketSeconds: duration(retention.tickets, defaultRetention.ticketSeconds),
    auditSeconds: duration(retention.audit, defaultRetention.auditSeconds),
    diskBytesMax: size(retention.disk_max, defaultRetention.diskBytesMax),
  };
}

function size(text: string | undefined, byDefault: number): number {
  return text === undefined ? byDefault : (parseSizeBytes(text) ?? byDefault);
}

function duration(text: string | undefined, byDefault: number): number {
  return text === undefined ? byDefault : (parseDurationSeconds(text) ?? byDefault);
}
