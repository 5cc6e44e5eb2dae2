// What may be going on at the boards, as far as the scheduler can know it: from what it has agents do, and from what they
// answer. Nobody gets a board while something may still happen to it, and an agent is told nothing under a token below
// one that it has seen. From locking.md "Fencing" and nothing else.
import type { Command, CommandTypes, Effect } from '../../domain/commands.ts';
import type { LockRecord, Token } from '../../domain/records.ts';
import { compareTokens, formatToken, sameToken } from '../../domain/records.ts';
import type { StepResult } from '../../domain/scheduler.ts';

interface Board {
  /** The job that its agent was told to start, and has not said to be over. */
  job?: { readonly id: number; readonly token: Token } | undefined;
  /** The power action of its holder that its agent has not answered. */
  switching?: { readonly request: string; readonly token: Token } | undefined;
  /** The highest token under which its agent was told anything. */
  told?: Token;
}

export class MetalModel {
  readonly #boards = new Map<string, Board>();
  /** The highest token that any agent has seen, also in another life of the lab. */
  #seen: Token = { generation: 0, number: 0 };

  /** A committed step. */
  take(command: Command, result: StepResult, problems: string[]): void {
    this.#hear(command);
    for (const { entity, before, after } of result.changes) {
      if (entity === 'lock')
        this.#judge(before as LockRecord | undefined, after as LockRecord | undefined, problems);
    }
    for (const effect of result.effects) this.#tell(effect, problems);
  }

  #judge(before: LockRecord | undefined, after: LockRecord | undefined, problems: string[]): void {
    if (!after || after.state === 'ending' || (before && sameToken(before.token, after.token))) return;
    const token = formatToken(after.token);
    if (compareTokens(after.token, this.#seen) <= 0)
      problems.push(`the token ${token} is not above ${formatToken(this.#seen)}, which an agent has seen`);
    const { job, switching } = this.#boards.get(after.board) ?? {};
    const what = job ? `job ${job.id} runs` : switching && 'it is being switched';
    if (what) problems.push(`${after.board} was given to ${after.user} while ${what}`);
  }

  #hear(command: Command): void {
    switch (command.name) {
      case 'jobEnded':
        return this.#hearEnd(command.body);
      case 'poweredOff':
        return this.#hearPower(command.body);
      case 'powered': {
        const board = this.#board(command.body.board);
        if (board.switching?.request === command.body.request) board.switching = undefined;
        return;
      }
      case 'agentPresent':
        return this.#hearAgent(command.body);
    }
  }

  /** With a job ends what its holder did to the power beside it. */
  #hearEnd({ job }: CommandTypes['jobEnded']['body']): void {
    for (const board of this.#boards.values()) {
      if (board.job?.id === job) board.job = board.switching = undefined;
    }
  }

  /** An answer may come a second time, and late: then it is not about what is newer. */
  #hearPower({ board: name, token, ok }: CommandTypes['poweredOff']['body']): void {
    const board = this.#board(name);
    if (board.switching && compareTokens(token, board.switching.token) >= 0) board.switching = undefined;
    if (ok && board.job && compareTokens(token, board.job.token) >= 0) board.job = undefined;
  }

  #hearAgent({ boards, jobs, highest }: CommandTypes['agentPresent']['body']): void {
    if (compareTokens(highest, this.#seen) > 0) this.#seen = highest;
    for (const name of boards) {
      const board = this.#board(name);
      if (board.job && !jobs.some(({ id }) => id === board.job?.id)) board.job = undefined;
    }
  }

  #tell(effect: Effect, problems: string[]): void {
    switch (effect.kind) {
      case 'start-job': {
        const { id, board, token } = effect.job;
        this.#admit(board, token, 'start a job on', problems).job = { id, token };
        return;
      }
      case 'power-off':
        this.#admit(effect.board, effect.token, 'switch off', problems);
        return;
      case 'power': {
        const { board, token, request } = effect;
        this.#admit(board, token, effect.action, problems).switching = { request, token };
      }
    }
  }

  #admit(name: string, token: Token, what: string, problems: string[]): Board {
    const board = this.#board(name);
    if (board.told && compareTokens(token, board.told) < 0)
      problems.push(
        `an agent is told to ${what} ${name} under ${formatToken(token)} after ${formatToken(board.told)}`,
      );
    board.told = token;
    // What is newer ends an action of the holder that is older.
    if (board.switching && compareTokens(token, board.switching.token) > 0) board.switching = undefined;
    return board;
  }

  #board(name: string): Board {
    let board = this.#boards.get(name);
    if (!board) {
      board = {};
      this.#boards.set(name, board);
    }
    return board;
  }
}
