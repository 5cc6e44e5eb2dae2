// Between the lab's configuration and the scheduler: what of it the scheduler must know, and which boards an agent is to
// drive by what the scheduler has. Pure.
import type { BoardDefinition, LabDefinition } from '../domain/records.ts';
import type { State } from '../domain/state.ts';
import type { AgentBoard } from '../protocol/agent-messages.ts';
import type { BoardConfig, LabConfig } from '../protocol/lab.ts';
import type { MachineSpec } from '../protocol/machine.ts';

export function toDefinition(config: LabConfig): LabDefinition {
  const { ticketsPerUser, queueLength, adHocQueuesPerBoard, boardsPerTicket } = config.limits;
  return {
    boards: config.boards.map((board) => defineBoard(board, config)),
    pools: config.pools,
    discipline: config.discipline,
    gatherSeconds: config.gatherSeconds,
    ...(config.lockFiles === undefined ? {} : { lockFiles: config.lockFiles }),
    limits: { ticketsPerUser, queueLength, adHocQueuesPerBoard, boardsPerTicket },
  };
}

function defineBoard(board: BoardConfig, lab: LabConfig): BoardDefinition {
  const { name, aliases, attributes, files, takesLinux, takesDtb, holdMaxSeconds, idleMaxSeconds } = board;
  return {
    ...{ name, aliases, attributes, files: files.plain, linuxFiles: files.linux, takesLinux, takesDtb },
    ...(board.lockFile === undefined ? {} : { lockFile: board.lockFile }),
    ...(holdMaxSeconds === undefined ? {} : { holdMaxSeconds }),
    ...(idleMaxSeconds === undefined ? {} : { idleMaxSeconds }),
    ...(board.betweenHolders === undefined ? {} : { betweenHolders: board.betweenHolders }),
    ...((board.force ?? lab.force) === 'admin' ? { force: 'admin' as const } : {}),
    machine: board.machine,
  };
}

/** Every board of the lab, and those that have left the configuration and are still in use, driven as they were. */
export function agentBoards(state: State): AgentBoard[] {
  const machines = new Map(state.lab.boards.map(({ name, machine }) => [name, machine]));
  return [...state.boards.values()].flatMap(({ name, machine = machines.get(name) }) =>
    machine === undefined ? [] : [{ name, machine: machine as MachineSpec }],
  );
}
