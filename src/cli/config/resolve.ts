/** Turns a lab's file that is right into the lab that server and clients share. Warns of what is likely a slip. */
import {
  type BoardConfig,
  defaultLimits,
  type FileRange,
  type FileRules,
  type LabConfig,
  type Limits,
  type MachineConfig,
  type PoolConfig,
} from '../../protocol/lab.ts';
import type { ConfigProblem } from './problem.ts';
import {
  attributeNames,
  type Scalar,
  type SourceBoard,
  type SourceLab,
  type SourceMachine,
  type SourcePool,
  type SourceRange,
} from './schema.ts';
import type { Path, Source } from './source.ts';
import { parseDurationSeconds, parseSizeBytes } from './units.ts';
import { suggestion } from './wording.ts';

/** The file must have passed checkShape and checkLab. */
export function resolveLab(source: Source): { config: LabConfig; warnings: ConfigProblem[] } {
  const lab = source.value as SourceLab;
  const boards = Object.entries(lab.boards).map(([name, board]) => resolveBoard(source, name, board));
  const warnings = boards.flatMap((board) => warnOfBoard(source, board));
  const ownNames = new Map(
    boards.flatMap((board) => [board.name, ...board.aliases].map((n) => [n, board.name])),
  );
  const pools = Object.entries(lab.pools ?? {}).map(([name, pool]): PoolConfig => {
    const settings: SourcePool = Array.isArray(pool) ? { boards: pool } : pool;
    const where = settings.where === undefined ? undefined : resolveWhere(source, name, settings.where);
    const members =
      where === undefined
        ? (settings.boards ?? []).map((member) => ownNames.get(member) ?? member)
        : boards.filter((board) => matches(board, where)).map((board) => board.name);
    if (members.length === 0) warnings.push(warnOfEmptyPool(source, name, boards, where));
    return { name, boards: members, spread: settings.spread ?? false };
  });
  const config: LabConfig = {
    name: source.text(['lab']) ?? '',
    boards,
    pools,
    ...(lab.socket_group === undefined ? {} : { socketGroup: lab.socket_group }),
    priorityHigh: lab.priority?.high ?? [],
    force: lab.force ?? 'anyone',
    admins: lab.admins ?? [],
    discipline: lab.discipline ?? 'turns',
    limits: resolveLimits(lab.limits ?? {}),
  };
  if (config.force === 'admin' && config.admins.length === 0) {
    const message = 'force is for admins, and there are none: nobody may release the lock of another';
    warnings.push({ ...source.keyPlace(['force']), message });
  }
  return { config, warnings };
}

function resolveBoard(source: Source, name: string, board: SourceBoard): BoardConfig {
  const path = ['boards', name];
  const attributes: Record<string, string> = {};
  const take = (attribute: string, at: Path) => {
    const text = source.text(at);
    if (text !== undefined) attributes[attribute] = text;
  };
  for (const attribute of attributeNames) take(attribute, [...path, attribute]);
  for (const tag of Object.keys(board.tags ?? {})) take(tag, [...path, 'tags', tag]);
  return {
    name,
    aliases: board.aliases ?? [],
    attributes,
    files: resolveFiles(board.files ?? 1),
    takesLinux: board.linux ?? false,
    takesDtb: board.dtb ?? false,
    machine: resolveMachine(board.machine),
  };
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

function resolveMachine(machine: SourceMachine): MachineConfig {
  if (machine.driver === 'v86') return { driver: 'v86', memoryMb: machine.memory_mb ?? 32 };
  const { path, power_off_path: powerOffPath } = machine;
  return { driver: 'script', path, ...(powerOffPath === undefined ? {} : { powerOffPath }) };
}

function resolveWhere(source: Source, pool: string, where: Record<string, Scalar>): Map<string, string> {
  const path = ['pools', pool, 'where'];
  return new Map(Object.keys(where).map((key) => [key, source.text([...path, key]) ?? '']));
}

function matches(board: BoardConfig, where: ReadonlyMap<string, string>): boolean {
  return [...where].every(
    ([key, value]) => Object.hasOwn(board.attributes, key) && board.attributes[key] === value,
  );
}

function warnOfBoard(source: Source, board: BoardConfig): ConfigProblem[] {
  const path = ['boards', board.name];
  const warnings: ConfigProblem[] = [];
  if (/^(y|yes|n|no|on|off|true|false|null)$/i.test(board.name)) {
    const message = `board '${board.name}' has a name that other YAML readers take for a value. Quote it`;
    warnings.push({ ...source.keyPlace(path), message });
  }
  if (board.takesDtb && !board.takesLinux) {
    const message = `board '${board.name}' takes a dtb but does not boot Linux, and a dtb comes only with Linux`;
    warnings.push({ ...source.keyPlace([...path, 'dtb']), message });
  }
  if (!board.takesLinux && source.text([...path, 'files', 'linux']) !== undefined) {
    const message = `board '${board.name}' does not boot Linux, so files.linux is never used`;
    warnings.push({ ...source.keyPlace([...path, 'files', 'linux']), message });
  }
  return warnings;
}

function warnOfEmptyPool(
  source: Source,
  name: string,
  boards: readonly BoardConfig[],
  where: ReadonlyMap<string, string> | undefined,
): ConfigProblem {
  const path = ['pools', name];
  if (where === undefined) return { ...source.keyPlace(path), message: `pool '${name}' has no boards` };
  const known = new Set([...attributeNames, ...boards.flatMap((board) => Object.keys(board.attributes))]);
  const stray = [...where.keys()].find((key) => !known.has(key));
  const message =
    stray === undefined
      ? `pool '${name}' has no boards: none matches`
      : `pool '${name}' has no boards: none has '${stray}'${suggestion(stray, known)}`;
  return { ...source.keyPlace(stray === undefined ? path : [...path, 'where', stray]), message };
}

function resolveLimits(limits: NonNullable<SourceLab['limits']>): Limits {
  const size = (text: string | undefined, byDefault: number) =>
    text === undefined ? byDefault : (parseSizeBytes(text) ?? byDefault);
  const duration = (text: string | undefined, byDefault: number) =>
    text === undefined ? byDefault : (parseDurationSeconds(text) ?? byDefault);
  return {
    ticketsPerUser: limits.tickets_per_user ?? defaultLimits.ticketsPerUser,
    queueLength: limits.queue_length ?? defaultLimits.queueLength,
    imageBytesMax: size(limits.image_bytes_max, defaultLimits.imageBytesMax),
    logBytesMax: size(limits.log_bytes_max, defaultLimits.logBytesMax),
    jobSecondsMax: duration(limits.job_max, defaultLimits.jobSecondsMax),
    adHocQueuesPerBoard: limits.ad_hoc_queues_per_board ?? defaultLimits.adHocQueuesPerBoard,
    openStreams: limits.open_streams ?? defaultLimits.openStreams,
  };
}
