// `mq status --watch` on a terminal: boards, what waits and one's own jobs, over the whole screen, until q or Ctrl+C.
import type { Client } from '../../client/client.ts';
import { watchStatus } from '../../client/status-watch.ts';
import type { JobView, StatusView } from '../../protocol/views.ts';
import { makeFrame, type ScreenSize } from '../terminal/frame.ts';
import { FullScreen, type Key } from '../terminal/full-screen.ts';
import { paintFor } from '../terminal/paint.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { jobTable } from './job-table.ts';
import { statusLines } from './status-table.ts';

/** Own jobs that are shown, ended ones included. */
const jobsShown = 10;

export interface WatchOptions {
  readonly terminal: Terminal;
  /** Aborts when the command is to stop. */
  readonly signal: AbortSignal;
  /** Gives a client that tells of its link. */
  readonly connect: (onLink: (state: 'up' | 'lost') => void) => Promise<Client>;
}

/** Resolves when the person or the signal has had enough. Rejects when the server is lost for good. */
export async function watchOnScreen({ terminal, signal, connect }: WatchOptions): Promise<void> {
  const view = new WatchView(terminal);
  let screen: FullScreen | undefined;
  const client = await connect((state) => {
    view.isLost = state === 'lost';
    screen?.redraw();
  });
  const { user } = await client.request('hello', {});
  const done = new AbortController();
  const stop = () => done.abort();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const lookForJobs = jobsLooker(client, user, (jobs) => {
    view.jobs = jobs;
    screen?.redraw();
  });
  screen = new FullScreen({
    screen: terminal.stdout,
    input: process.stdin,
    draw: (size) => view.frame(size),
    onKey: (key) => {
      if (key === 'quit') stop();
      view.move(key);
      screen?.redraw();
    },
  });
  try {
    const onStatus = (status: StatusView) => {
      view.status = status;
      lookForJobs(status);
      screen?.redraw();
    };
    await watchStatus(client, onStatus, { signal: done.signal });
  } finally {
    signal.removeEventListener('abort', stop);
    await screen.close();
  }
}

/** Asks for one's own jobs when one has begun, changed or ended, as a status shows it; one question at a time. */
function jobsLooker(client: Client, user: string, onJobs: (jobs: readonly JobView[]) => void) {
  let wanted = '';
  let asked: string | undefined;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    while (asked !== wanted) {
      asked = wanted;
      const { jobs } = await client.request('jobs', { mine: true, limit: jobsShown });
      onJobs(jobs);
    }
    isAsking = false;
  };
  return (status: StatusView): void => {
    const mine = status.jobs.filter((job) => job.user === user);
    const waiting = status.queue.filter((entry) => entry.user === user && entry.kind !== 'lock');
    wanted = JSON.stringify([mine.map(({ id, state }) => [id, state]), waiting.map(({ ticket }) => ticket)]);
    if (isAsking) return;
    ask().catch(() => {
      // It is asked again at the next change; the status itself tells of a lost server.
      asked = undefined;
      isAsking = false;
    });
  };
}

class WatchView {
  status: StatusView | undefined;
  jobs: readonly JobView[] = [];
  isLost = false;
  readonly #terminal: Terminal;
  #from = 0;
  #linesCount = 0;
  #room = 1;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  frame(size: ScreenSize) {
    const paint = paintFor(this.#terminal.hasColour(this.#terminal.stdout));
    const options = { paint, width: size.columns, now: Date.now() };
    const lines = this.status === undefined ? [] : statusLines(this.status, options);
    if (this.jobs.length > 0) lines.push('', paint.bold('Your jobs'), ...jobTable(this.jobs, options));
    this.#linesCount = lines.length;
    this.#room = Math.max(1, size.rows - 1);
    this.#from = Math.min(this.#from, this.#last);
    return makeFrame(size, { lines, foot: paint.dim(this.#foot()), from: this.#from });
  }

  move(key: Key): void {
    const page = Math.max(1, this.#room - 1);
    const steps = {
      up: -1,
      down: 1,
      'page-up': -page,
      'page-down': page,
      top: -this.#linesCount,
      bottom: this.#linesCount,
      quit: 0,
    };
    this.#from = Math.min(this.#last, Math.max(0, this.#from + steps[key]));
  }

  /** The first line of the last page. */
  get #last(): number {
    return Math.max(0, this.#linesCount - this.#room);
  }

  #foot(): string {
    if (this.isLost) return 'The server is away; trying to reach it again. q: quit';
    if (this.status === undefined) return 'Asking the server. q: quit';
    const last = Math.min(this.#linesCount, this.#from + this.#room);
    return this.#last === 0
      ? 'q: quit'
      : `lines ${this.#from + 1} to ${last} of ${this.#linesCount}; arrows: move, q: quit`;
  }
}
