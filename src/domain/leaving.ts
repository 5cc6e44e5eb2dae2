// The end of a board that the configuration no longer names. Where it only has another name now, what is known of it goes on
// to the board of that name, which nobody gets before: two names of one board never have two locks.
import type { BoardRecord } from './records.ts';
import type { Step } from './step.ts';

/**
 * A broken board is not forgotten before somebody has looked, although the lab no longer names it, and one that may be on not
 * before it is off: it may come back.
 */
export function mustStay(step: Step, board: BoardRecord): boolean {
  return (board.health.state === 'broken' || board.mayBeOn) && heirsOf(step, board).length === 0;
}

/** It has no lock any more, and nobody has to look at it under this name. */
export function forgetBoard(step: Step, board: BoardRecord): void {
  const heirs = heirsOf(step, board);
  step.put('board', board.name, undefined);
  for (const heir of heirs) {
    step.put('board', heir.name, inherit(heir, board));
    step.boardsToMatch.add(heir.name);
  }
}

/** Without these among the names that it had. */
export function dropNames(board: BoardRecord, names: readonly string[]): BoardRecord {
  const { succeeds, ...rest } = board;
  const left = succeeds?.filter((name) => !names.includes(name)) ?? [];
  return left.length > 0 ? { ...rest, succeeds: left } : rest;
}

/** Only a lab whose boards get other names has any. */
function heirsOf(step: Step, board: BoardRecord): BoardRecord[] {
  return [...step.state.boards.values()].filter(({ succeeds }) => succeeds?.includes(board.name));
}

/** The same board under its new name: in the same health, in service or not, on or off. */
function inherit(heir: BoardRecord, board: BoardRecord): BoardRecord {
  const { service } = board;
  const settled = service.state === 'draining' ? { ...service, state: 'out' as const } : service;
  const succeeds = [...(heir.succeeds ?? []), ...(board.succeeds ?? [])];
  return {
    ...dropNames({ ...heir, succeeds }, [board.name]),
    health: heir.health.state === 'broken' ? heir.health : board.health,
    service: heir.service.state === 'in' ? settled : heir.service,
    mayBeOn: heir.mayBeOn || board.mayBeOn,
    faults: Math.max(heir.faults, board.faults),
    freeSince: board.freeSince,
  };
}
