/** Turns what drives a board, as the lab's file says it, into what the agent gets. Pure. */
import type { BootSpec, ConsoleSpec, MachineSpec, PartsMachine, PowerSpec } from '../../protocol/machine.ts';
import type { SourceMachine, SourceType } from './schema/board.ts';
import type { SourceBoot, SourceConsole, SourcePower, SourcePowerUnits } from './schema/parts.ts';
import type { Path, Source } from './source.ts';
import { parseDurationSeconds } from './units.ts';

export const defaultPowerLimits = { timeoutSeconds: 10, retries: 1 };
const defaultConsoleLimits = { connectSeconds: 10, reconnectSeconds: 30 };

export interface BoardPlace {
  readonly source: Source;
  readonly name: string;
  /** Of the board and, behind it, of its type. */
  readonly paths: readonly Path[];
  readonly units: SourcePowerUnits;
}

/** The settings of the board and its type together, as checkLab let them pass. */
export function resolveMachine(settings: SourceType, board: BoardPlace): MachineSpec {
  const { machine, power, console, boot } = settings;
  if (machine !== undefined) return resolveWhole(machine, board);
  if (power === undefined || console === undefined || boot === undefined) {
    throw new Error(`checkLab let board ${board.name} pass without what drives it`);
  }
  return {
    driver: 'parts',
    power: resolvePower(power, board),
    console: resolveConsole(console, board),
    boot: resolveBoot(boot, board),
  } satisfies PartsMachine;
}

function resolveWhole(machine: SourceMachine, board: BoardPlace): MachineSpec {
  if (machine.driver === 'v86') return { driver: 'v86', memoryMb: machine.memory_mb ?? 32 };
  const at = (key: string) => pathTo(board, ['machine', key]);
  if (machine.driver === 'qemu') {
    const cpu = board.source.text(at('cpu'));
    return {
      driver: 'qemu',
      program: machine.program,
      machine: board.source.text(at('machine')) ?? '',
      ...(cpu === undefined ? {} : { cpu }),
      memoryMb: machine.memory_mb ?? 128,
      arguments: words(board.source, at('arguments'), machine.arguments ?? []),
    };
  }
  const { path, power_off_path: powerOffPath } = machine;
  return { driver: 'script', path, ...(powerOffPath === undefined ? {} : { powerOffPath }) };
}

function resolvePower(power: SourcePower, board: BoardPlace): PowerSpec {
  const { source, name, units } = board;
  const own = pathTo(board, ['power']);
  const settings = power.unit === undefined ? power : units[power.unit];
  const path = power.unit === undefined ? own : ['power_units', power.unit];
  if (settings === undefined) throw new Error(`checkLab let the unknown power unit of board ${name} pass`);
  const values = {
    board: name,
    outlet: source.text([...own, 'outlet']),
    address: source.text([...path, 'address']),
  };
  const command = (key: 'power_on' | 'power_off' | 'status') =>
    words(source, [...path, key], settings[key] ?? []).map((word) => fill(word, values));
  const env = resolveEnvironment(source, [...path, 'env'], settings.env);
  return {
    driver: 'command',
    powerOn: command('power_on'),
    powerOff: command('power_off'),
    ...(settings.status === undefined ? {} : { status: command('status') }),
    ...(env === undefined ? {} : { env }),
    timeoutSeconds: seconds(settings.timeout, defaultPowerLimits.timeoutSeconds),
    retries: settings.retries ?? defaultPowerLimits.retries,
  };
}

/** Secrets stay where they are. */
function resolveEnvironment(source: Source, path: Path, env: SourcePower['env']): PowerSpec['env'] {
  if (env === undefined) return undefined;
  const entries = Object.entries(env).map(([name, value]) => {
    const { env: variable, file } = typeof value === 'object' ? value : {};
    if (variable !== undefined) return [name, { env: variable }] as const;
    if (file !== undefined) return [name, { file }] as const;
    return [name, source.text([...path, name]) ?? ''] as const;
  });
  return Object.fromEntries(entries);
}

function resolveConsole(console: SourceConsole, board: BoardPlace): ConsoleSpec {
  const limits = {
    connectSeconds: seconds(console.connect_within, defaultConsoleLimits.connectSeconds),
    reconnectSeconds: seconds(console.reconnect_within, defaultConsoleLimits.reconnectSeconds),
  };
  const values = { board: board.name };
  if (console.driver === 'exec') {
    const path = pathTo(board, ['console', 'command']);
    const command = words(board.source, path, console.command).map((word) => fill(word, values));
    return { driver: 'exec', command, ...limits };
  }
  const { port, telnet } = console;
  const host = fill(console.host, values);
  return { driver: 'tcp', host, port, ...(telnet === undefined ? {} : { telnet }), ...limits };
}

function resolveBoot(boot: SourceBoot, board: BoardPlace): BootSpec {
  const place = (path: string) => fill(path, { board: board.name });
  const { to, second_to, dtb_to, bitstream_to } = boot;
  return {
    driver: 'copy',
    to: place(to),
    ...(second_to === undefined ? {} : { secondTo: place(second_to) }),
    ...(dtb_to === undefined ? {} : { dtbTo: place(dtb_to) }),
    ...(bitstream_to === undefined ? {} : { bitstreamTo: place(bitstream_to) }),
  };
}

/** Where the setting stands: in the board itself, or else in its type. */
function pathTo({ source, paths }: BoardPlace, [first = '', ...rest]: Path): Path {
  const owner = paths.find((path) => source.keys(path).includes(first)) ?? [];
  return [...owner, first, ...rest];
}

function words(source: Source, path: Path, list: readonly unknown[]): string[] {
  return list.map((_, index) => source.text([...path, String(index)]) ?? '');
}

/** In one pass, so that what is put in is never taken for a placeholder; a word stays one word. */
function fill(word: string, values: Readonly<Record<string, string | undefined>>): string {
  return word.replaceAll(/\{(board|outlet|address)\}/g, (whole, name: string) => values[name] ?? whole);
}

function seconds(duration: string | undefined, byDefault: number): number {
  return duration === undefined ? byDefault : (parseDurationSeconds(duration) ?? byDefault);
}
