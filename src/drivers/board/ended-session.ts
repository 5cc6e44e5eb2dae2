// The session of a job that never came to run. Pure.

import type { BoardExit, BoardSession } from './contract.ts';

export function endedSession(exit: BoardExit): BoardSession {
  return { exit: Promise.resolve(exit), write() {}, async stop() {} };
}
