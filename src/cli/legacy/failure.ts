// What the old words say and return when something goes wrong that is not in their tables.
import { hostname } from 'node:os';
import { MqError } from '../../protocol/errors.ts';
import { nearestName } from '../config/nearest.ts';
import { Interrupted } from '../interrupt.ts';
import { escapeText } from '../terminal/escape.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { unknownTargetLines } from './lock-lines.ts';

/** Tells of the error where the old scripts did, and returns the exit code. Throws on what is no operating error. */
export function failLegacy(error: unknown, target: string, terminal: Terminal): number {
  if (error instanceof Interrupted) return 1;
  if (!(error instanceof MqError)) throw error;
  switch (error.code) {
    case 'SERVER_UNREACHABLE':
      // Clients try again when they read exactly this.
      terminal.print([`Unable to ssh to ${escapeText(String(error.details.host ?? hostname()))}`]);
      terminal.hint(escapeText(error.message));
      return 1;
    case 'UNKNOWN_TARGET': {
      const lab = { boards: namesIn(error.details.boards), pools: namesIn(error.details.pools) };
      terminal.print(unknownTargetLines(target, lab));
      const nearest = nearestName(target, [...lab.boards, ...lab.pools]);
      if (nearest !== undefined) terminal.hint(`Did you mean ${nearest}?`);
      return 1;
    }
    default:
      terminal.complain(escapeText(error.message));
      return 1;
  }
}

function namesIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}
