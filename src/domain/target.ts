// From what a request asks for to the boards that would do, in listed order. Pure.

import type {
  BoardDefinition,
  LabDefinition,
  Need,
  Needs,
  SingleTarget,
  TargetSpec,
  TicketRecord,
} from './records.ts';
import { setName } from './set-name.ts';

/** A target's boards that can take the job, in listed order, and the name of that set whatever its order. */
export interface ResolvedTarget {
  readonly boards: readonly string[];
  readonly name: string;
}

/** Resolved targets remembered; past it they are worked out again. */
const rememberedMax = 1000;

/** Looks names up in a lab; made once for each loaded configuration. */
export class LabIndex {
  readonly lab: LabDefinition;
  /** Position of a board in the configuration: the lab's listed order. */
  readonly ordinal = new Map<string, number>();
  readonly #boards = new Map<string, BoardDefinition>();
  readonly #aliases = new Map<string, string>();
  readonly #resolved = new Map<string, ResolvedTarget>();
  /** Of jobless tickets for boards and pools, which are nearly all: by name, as many as the lab has. */
  readonly #resolvedBoards = new Map<string, ResolvedTarget>();
  readonly #resolvedPools = new Map<string, ResolvedTarget>();
  readonly #pools = new Map<string, readonly string[]>();
  readonly #spread = new Set<string>();

  constructor(lab: LabDefinition) {
    this.lab = lab;
    lab.boards.forEach((board, at) => {
      this.ordinal.set(board.name, at);
      this.#boards.set(board.name, board);
      for (const alias of board.aliases) this.#aliases.set(alias, board.name);
    });
    for (const pool of lab.pools) {
      this.#pools.set(pool.name, pool.boards);
      if (pool.spread) this.#spread.add(pool.name);
    }
  }

  findBoard(nameOrAlias: string): BoardDefinition | undefined {
    return this.#boards.get(nameOrAlias) ?? this.#boards.get(this.#aliases.get(nameOrAlias) ?? '');
  }

  hasPool(name: string): boolean {
    return this.#pools.has(name);
  }

  /** Whether the target is a pool that prefers the board that has rested longest. */
  isSpread(target: TargetSpec): boolean {
    return target.kind === 'pool' && this.#spread.has(target.name);
  }

  /** Boards of the target as configured now, in listed order; unknown names are left out, old ones are today's. */
  members(target: TargetSpec): readonly string[] {
    switch (target.kind) {
      case 'board':
        return this.#present([target.name]);
      case 'pool':
        return this.#pools.get(target.name) ?? [];
      case 'boards':
        return this.#present(target.names);
      case 'where':
        return this.lab.boards
          .filter((board) => matches(board, target.attributes))
          .map((board) => board.name);
      case 'several':
        return [...new Set(target.needs.flatMap((need) => this.members(need.target)))];
    }
  }

  #present(names: readonly string[]): string[] {
    return [...new Set(names.flatMap((name) => this.findBoard(name)?.name ?? []))];
  }

  /** For a ticket as it stands. A job slot is that of a lock, which keeps the name under which it was given. */
  resolveTicket({ kind, target, needs }: Pick<TicketRecord, 'kind' | 'target' | 'needs'>): ResolvedTarget {
    const isOther = kind === 'slot' && target.kind === 'board' && !this.#boards.has(target.name);
    return isOther ? { boards: [], name: '' } : this.resolve(target, needs);
  }

  /** As `members`, without those that can't take the job. Remembered: a pool may have thousands of boards. */
  resolve(target: TargetSpec, needs: Needs | undefined): ResolvedTarget {
    if (!needs && target.kind === 'pool' && this.#pools.has(target.name))
      return this.#remember(this.#resolvedPools, target);
    if (!needs && target.kind === 'board' && this.#boards.has(target.name))
      return this.#remember(this.#resolvedBoards, target);
    const name = wantedName(target, needs);
    const found = this.#resolved.get(name);
    if (found) return found;
    const resolved = this.#workOut(target, needs);
    if (this.#resolved.size >= rememberedMax) this.#resolved.clear();
    this.#resolved.set(name, resolved);
    return resolved;
  }

  #remember(resolved: Map<string, ResolvedTarget>, target: { kind: 'board' | 'pool'; name: string }) {
    let found = resolved.get(target.name);
    if (!found) {
      found = this.#workOut(target, undefined);
      resolved.set(target.name, found);
    }
    return found;
  }

  #workOut(target: TargetSpec, needs: Needs | undefined): ResolvedTarget {
    const members = this.members(target);
    const fitting = members.filter((board) => {
      const definition = this.#boards.get(board);
      return definition !== undefined && (!needs || canTake(definition, needs));
    });
    // The pool's own list where nothing was left out, so that its name and order are known at once.
    const boards = fitting.length === members.length ? members : fitting;
    return { boards, name: setName(boards) };
  }

  /**
   * What a person typed: a board, an alias, a pool, `a,b` or `attribute=value,…`.
   * Returns the name that is unknown, if one is.
   */
  parseTarget(text: string): { ok: true; target: SingleTarget } | { ok: false; unknown: string } {
    const board = this.findBoard(text);
    if (board) return { ok: true, target: { kind: 'board', name: board.name } };
    if (this.#pools.has(text)) return { ok: true, target: { kind: 'pool', name: text } };
    const parts = text.split(',');
    if (parts.every((part) => /^[^=]+=.+$/.test(part))) {
      const attributes = Object.fromEntries(parts.map((part) => splitOnce(part)));
      return { ok: true, target: { kind: 'where', attributes } };
    }
    if (parts.length < 2) return { ok: false, unknown: text };
    const names: string[] = [];
    for (const part of parts) {
      const found = this.findBoard(part);
      if (!found) return { ok: false, unknown: part };
      if (!names.includes(found.name)) names.push(found.name);
    }
    return { ok: true, target: { kind: 'boards', names } };
  }
}

/** Whether the board can take such a job. */
export function canTake(board: BoardDefinition, needs: Needs): boolean {
  const range = needs.linux ? board.linuxFiles : board.files;
  if (needs.fileCount < range.min || needs.fileCount > range.max) return false;
  if (needs.linux && !board.takesLinux) return false;
  return !needs.dtb || board.takesDtb;
}

/** Equal for equal targets and needs, and for no others. Single names, which are most, without making JSON. */
function wantedName(target: TargetSpec, needs: Needs | undefined): string {
  if (target.kind !== 'board' && target.kind !== 'pool') return JSON.stringify([target, needs]);
  const wanted = needs ? `${needs.fileCount},${needs.linux},${needs.dtb}` : '';
  return `${target.kind} ${wanted} ${target.name}`;
}

/** As people write it. */
export function formatTarget(target: TargetSpec): string {
  switch (target.kind) {
    case 'board':
    case 'pool':
      return target.name;
    case 'boards':
      return target.names.join(',');
    case 'where':
      return Object.entries(target.attributes)
        .map(([name, value]) => `${name}=${value}`)
        .join(',');
    case 'several':
      return target.needs.map(formatNeed).join(' + ');
  }
}

function formatNeed({ target, count }: Need): string {
  return count === 1 ? formatTarget(target) : `${count} of ${formatTarget(target)}`;
}

function matches(board: BoardDefinition, attributes: Readonly<Record<string, string>>): boolean {
  return Object.entries(attributes).every(([name, value]) => board.attributes[name] === value);
}

function splitOnce(part: string): [string, string] {
  const at = part.indexOf('=');
  return [part.slice(0, at), part.slice(at + 1)];
}
