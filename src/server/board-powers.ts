// What boards can do without a job, as their agent says it, and what became of what their holders asked for: who asked may
// ask again after a lost connection, and hears the same.
import type { AgentToServer, BoardAbility } from '../protocol/agent-messages.ts';
import { MqError } from '../protocol/errors.ts';
import { pause } from './pause.ts';

export type SwitchAnswer = Pick<
  Extract<AgentToServer, { type: 'power-done' }>,
  'outcome' | 'power' | 'detail'
>;

/** Answers that are kept for whoever asks again, and questions that wait for one. */
const keptMax = 1_000;

interface Asked {
  readonly answer: Promise<SwitchAnswer>;
  readonly resolve: (answer: SwitchAnswer) => void;
}

export class BoardPowers {
  readonly #abilities = new Map<string, readonly BoardAbility[]>();
  readonly #leaving = new AbortController();
  /** The oldest first. */
  readonly #asked = new Map<string, Asked>();

  /** Another agent, or the same one anew. */
  forgetAbilities(): void {
    this.#abilities.clear();
  }

  learn({ ready, abilities }: Extract<AgentToServer, { type: 'boards' }>): void {
    if (!abilities) return;
    const named = new Map(abilities.map(({ board, can }) => [board, can]));
    for (const board of ready) this.#abilities.set(board, named.get(board) ?? []);
  }

  can(board: string, ability: BoardAbility): boolean {
    return this.#abilities.get(board)?.includes(ability) ?? false;
  }

  /** Throws BOARD_UNABLE where the board can't; `power-off`: where its agent is of before holders could switch. */
  check(board: string, ability: 'power-off' | 'power-on' | 'console'): void {
    const details = { board };
    if (!this.#abilities.has(board)) throw new MqError('BOARD_UNABLE', oldAgentText(board), { details });
    if (ability === 'power-off' || this.can(board, ability)) return;
    throw new MqError('BOARD_UNABLE', unableTexts[ability](board), { details });
  }

  /** It is asked now, or again. */
  expect(request: string): void {
    this.#get(request);
  }

  /** Whether this request was asked in this process's life, as far as that is kept. */
  knows(request: string): boolean {
    return this.#asked.has(request);
  }

  /** Whoever waits asks the next server. */
  stop(): void {
    this.#leaving.abort();
  }

  /** The answer, also where it has come before; undefined where none comes in time. Rejects with TRY_AGAIN at the stop. */
  async answerTo(
    request: string,
    limit: { ms: number; signal: AbortSignal | undefined },
  ): Promise<SwitchAnswer | undefined> {
    const over = new AbortController();
    const signals = [over.signal, this.#leaving.signal, ...(limit.signal ? [limit.signal] : [])];
    const late = pause(limit.ms, AbortSignal.any(signals)).then(() => undefined);
    const answer = await Promise.race([this.#get(request).answer, late]);
    over.abort();
    if (answer || !this.#leaving.signal.aborted) return answer;
    throw new MqError('TRY_AGAIN', 'The server is leaving. Ask again.');
  }

  settle(request: string, answer: SwitchAnswer): void {
    this.#get(request).resolve(answer);
  }

  #get(request: string): Asked {
    const found = this.#asked.get(request);
    if (found) return found;
    const { promise, resolve } = Promise.withResolvers<SwitchAnswer>();
    const asked = { answer: promise, resolve };
    this.#asked.set(request, asked);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > keptMax && oldest !== undefined) this.#asked.delete(oldest);
    return asked;
  }
}

const unableTexts = {
  'power-on': (board: string) => `${board} is switched on only by a job. Run something: mq run ${board}.`,
  console: (board: string) => `${board} has no console without a job. Run something: mq run ${board}.`,
} as const;

function oldAgentText(board: string): string {
  return `The agent of ${board} is of an older version, which can't do this. It is replaced when its jobs have ended and the server is started again.`;
}
