/**
 * The lab as configured, resolved to plain JSON: what the server, the agent and the clients share about it.
 * Types and pure functions only. It loads nothing, so neither does a client that needs one answer.
 */
import type { MachineSpec } from './machine.ts';

import type { MailConfig } from './mail-config.ts';

export interface LabConfig {
  name: string;
  /** In the order of the file, which is the order of every list. */
  boards: BoardConfig[];
  /** In the order of the file. */
  pools: PoolConfig[];
  /** Group of the unix socket. Absent: every local user may connect. */
  socketGroup?: string;
  /** A TCP socket beside it. Absent: none. */
  listen?: ListenConfig;
  /** Users who may submit in the class `high`. */
  priorityHigh: string[];
  /** Who may release or take what somebody else holds (`-f`), where the board does not say. */
  force: 'anyone' | 'admin';
  admins: string[];
  discipline: 'turns' | 'fifo';
  /** How long free boards are kept for a ticket for several, in a row. */
  gatherSeconds: number;
  /** What of a key names the set, where the client names none: see key-label.ts. */
  setFromKey?: string;
  /** The folder in which clients of the old scripts lock boards by files. Absent: there are none. */
  lockFiles?: string;
  /** Mail to whoever holds a board for long. */
  mail?: MailConfig;
  limits: Limits;
  retention: Retention;
}

export interface ListenConfig {
  /** An address of this host, or a name of one. */
  host: string;
  /** 0: any that is free. */
  port: number;
  token: SecretSource;
  /** As whom a client counts that brings the token; its role is admin. */
  user: string;
  /** Paths of PEM files. Absent: without TLS. */
  tls?: { certPath: string; keyPath: string };
}

/** Where a secret is; the secret itself is in no configuration. */
export type SecretSource = { file: string } | { env: string };

export interface BoardConfig {
  name: string;
  /** Other names under which the board is accepted; unique over all boards and pools. */
  aliases: string[];
  /** arch, isa, soc, cpu, cores, ram, max_clk, sel4_plat and the tags, as text. Selectors look here. */
  attributes: Record<string, string>;
  files: FileRules;
  /** Boots Linux over the network (`-L`). */
  takesLinux: boolean;
  /** Takes a device tree (`-b`). */
  takesDtb: boolean;
  /** What its lock file is called, where that is not the board's name. */
  lockFile?: string;
  /** The longest hold: past it the lock may be reclaimed, whatever was asked for. Absent: no such end. */
  holdMaxSeconds?: number;
  /** The longest that a lock may be without a job, console input or switch of the power; then it ends. Absent: no end. */
  idleMaxSeconds?: number;
  /** The end of a lock leaves its power as it is. Absent: the board is switched off. */
  betweenHolders?: 'leave';
  /** Who may release or take it from somebody else. Absent: as the lab says. */
  force?: 'anyone' | 'admin';
  /** What drives the board. */
  machine: MachineSpec;
}

/** A board as clients see it: what drives it is the lab's own affair. */
export type BoardListing = Omit<BoardConfig, 'machine'>;

/** What lists of boards and pools are made from. */
export interface LabListing {
  boards: readonly BoardListing[];
  pools: readonly PoolConfig[];
}

/** How many images a job brings, without and with `-L`. */
export interface FileRules {
  plain: FileRange;
  linux: FileRange;
}

/** Both ends belong to it. */
export interface FileRange {
  min: number;
  max: number;
}

export interface PoolConfig {
  name: string;
  /** Names of boards, never aliases, in listed order. Empty where a selector matches no board now. */
  boards: string[];
  /** Prefer the board that has rested longest to the first that is free. */
  spread: boolean;
}

/** A limit on everything that grows. Counts are whole and at least 1. */
export interface Limits {
  /** Tickets that one user may have waiting at once, over all queues. */
  ticketsPerUser: number;
  /** Tickets in one queue. */
  queueLength: number;
  imageBytesMax: number;
  /** All images together. */
  imagesBytesMax: number;
  /** Console bytes kept of one job. */
  logBytesMax: number;
  /** The end of a job that gave no limit of its own. */
  jobSecondsMax: number;
  /** Queues of ad-hoc sets and selectors in which one board may be. */
  adHocQueuesPerBoard: number;
  /** Boards that one ticket may ask for. */
  boardsPerTicket: number;
  /** Streams that all clients together may have open at one server. */
  openStreams: number;
  /** Of these one user. */
  streamsPerUser: number;
  /** Sockets, with or without a stream. */
  connections: number;
  /** Images on their way in. */
  uploads: number;
  /** Consoles that are being read. */
  consoleReaders: number;
  /** The longest wait that a client may ask for. Below a year also the end of a wait that names none. */
  waitSecondsMax: number;
}

/** A wait of so long is as good as for ever, and the longest that can be named. */
export const waitSecondsForEver = 365 * 24 * 60 * 60;

export const gatherSecondsDefault = 600;

export const defaultLimits: Readonly<Limits> = {
  ticketsPerUser: 1_000,
  queueLength: 20_000,
  imageBytesMax: 512 * 1024 * 1024,
  imagesBytesMax: 16 * 1024 ** 3,
  logBytesMax: 256 * 1024 * 1024,
  jobSecondsMax: 2 * 60 * 60,
  adHocQueuesPerBoard: 64,
  boardsPerTicket: 32,
  openStreams: 20_000,
  streamsPerUser: 5_000,
  connections: 25_000,
  uploads: 256,
  consoleReaders: 10_000,
  waitSecondsMax: waitSecondsForEver,
};

/** How long what has ended is kept. */
export interface Retention {
  /** Consoles, from the end of their job. */
  logSeconds: number;
  /** Images, from their last use. */
  imageSeconds: number;
  jobSeconds: number;
  ticketSeconds: number;
  auditSeconds: number;
  /** All of the state folder. */
  diskBytesMax: number;
}

const daySeconds = 24 * 60 * 60;

export const defaultRetention: Readonly<Retention> = {
  logSeconds: 30 * daySeconds,
  imageSeconds: 30 * daySeconds,
  jobSeconds: 90 * daySeconds,
  ticketSeconds: daySeconds,
  auditSeconds: 365 * daySeconds,
  diskBytesMax: 100 * 1024 ** 3,
};

/** Says in the old scripts' words why this board can't take so many images, or undefined if it can. */
export function fileCountProblem(
  board: Pick<BoardConfig, 'name' | 'files'>,
  job: { count: number; linux: boolean },
): string | undefined {
  const range = job.linux ? board.files.linux : board.files.plain;
  if (job.count >= range.min && job.count <= range.max) return undefined;
  return `Wrong number of files specified for system ${board.name}`;
}

/** Says in the old scripts' words why this board can't boot such a job (`-L`, `-b`), or undefined if it can. */
export function linuxProblem(
  board: Pick<BoardConfig, 'name' | 'takesLinux' | 'takesDtb'>,
  job: { linux: boolean; dtb: boolean },
): string | undefined {
  if (job.linux && !board.takesLinux) return `System ${board.name} cannot boot Linux over the network.`;
  if (job.dtb && !board.takesDtb) return `System ${board.name} does not accept a dtb`;
  if (job.dtb && !job.linux) return 'A dtb may only be supplied when booting a linux image over the network.';
  return undefined;
}
