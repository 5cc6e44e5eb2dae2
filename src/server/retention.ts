// What has ended goes in time: consoles, images and rows by their age, and the oldest consoles and images before it where
// the state folder has grown past its limit. Never anything of a live job, nor what was used a moment ago.
//
// A pass is many small pieces, with commits in between. Of a console the files go first, then the row says so: where the
// disk is full the one frees room and the other may have to wait, and after a crash in between the next pass finds the
// row again. Files without a row go at the first pass of a process. How much room is taken is known without a look at
// every file: each console is measured once, when its job has ended.
import { measureFolder } from '../platform/disk-space.ts';
import type { Logger } from '../platform/logger.ts';
import type { Retention as Rules } from '../protocol/lab.ts';
import type { Store } from '../store/contract.ts';
import type { Consoles } from './consoles.ts';
import type { Images } from './images.ts';
import { bytesText } from './text.ts';

const passEveryMs = 60_000;
/** The database and the agent's folder are measured so often; every console again so often. */
const otherEveryMs = 10 * 60_000;
const allEveryMs = 24 * 60 * 60_000;
/** A repeat of a request gets the same answer for so long. */
const answersKeptMs = 60 * 60_000;
/** A console stays for so long after its job whatever happens: its client may still read it. */
const freshMs = 10 * 60_000;
/** Consoles in one piece. */
const pieceMax = 50;
/** From this part of the limit on it is said in the log, and again after it was below. */
const nearlyFull = 0.9;

/** Bytes on the disk. */
export interface DiskUse {
  readonly logBytes: number;
  readonly imageBytes: number;
  /** The database, and the agent's folder. */
  readonly otherBytes: number;
  readonly totalBytes: number;
  readonly totalBytesMax: number;
}

export interface RetentionOptions {
  readonly store: Store;
  readonly consoles: Consoles;
  readonly images: Images;
  /** The folder of everything; `measuredApart` are the names in it that consoles and images count themselves. */
  readonly stateFolder: string;
  readonly measuredApart: readonly string[];
  /** As they are now. */
  readonly rules: () => Rules;
  readonly wallMs: () => number;
  readonly logger: Logger;
}

export class Retention {
  readonly #options: RetentionOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #otherBytes = 0;
  #otherAt = Number.NEGATIVE_INFINITY;
  #allAt = Number.NEGATIVE_INFINITY;
  #isNearlyFull = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** The first pass at once, then one a minute. */
  start(): void {
    const run = () => {
      this.#running = this.pass().finally(() => {
        if (this.#stop.signal.aborted) return;
        this.#timer = setTimeout(run, passEveryMs);
        this.#timer.unref();
      });
    };
    run();
  }

  /** Ends the pass under way at its next piece. */
  async stop(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** The folder that is kept within bounds. */
  get stateFolder(): string {
    return this.#options.stateFolder;
  }

  /** undefined until it was measured for the first time. */
  get diskUse(): DiskUse | undefined {
    if (this.#allAt === Number.NEGATIVE_INFINITY) return undefined;
    const logBytes = this.#options.consoles.diskBytes;
    const imageBytes = this.#options.images.diskBytes;
    const totalBytes = logBytes + imageBytes + this.#otherBytes;
    const totalBytesMax = this.#options.rules().diskBytesMax;
    return { logBytes, imageBytes, otherBytes: this.#otherBytes, totalBytes, totalBytesMax };
  }

  /** Never rejects: what fails is said in the log and tried again with the next pass. */
  async pass(): Promise<void> {
    // Files before rows: on a full disk rows can't be written until there is room.
    const parts = [
      () => this.#measure(),
      () => this.#dropOldLogs(),
      () => this.#dropOldImages(),
      () => this.#shrink(),
      () => this.#pruneRows(),
    ];
    for (const part of parts) {
      if (this.#stop.signal.aborted) return;
      try {
        await part();
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#options.logger.warn('what is old was not removed', { error });
      }
    }
    this.#tellUse();
  }

  async #measure(): Promise<void> {
    const { stateFolder, measuredApart, wallMs } = this.#options;
    const now = wallMs();
    if (isDue(now, this.#otherAt, otherEveryMs)) {
      const options = { except: measuredApart, signal: this.#stop.signal };
      this.#otherBytes = await measureFolder(stateFolder, options);
      this.#otherAt = now;
    }
    if (!isDue(now, this.#allAt, allEveryMs)) return;
    const isFirst = this.#allAt === Number.NEGATIVE_INFINITY;
    await this.#measureLogs({ sweep: isFirst });
    this.#allAt = now;
  }

  /** `sweep`: consoles that no job has are removed. */
  async #measureLogs({ sweep }: { sweep: boolean }): Promise<void> {
    const { consoles, store } = this.#options;
    const jobs = await consoles.files.list();
    for (let at = 0; at < jobs.length; at += pieceMax) {
      const piece = jobs.slice(at, at + pieceMax);
      const known = new Set(sweep ? await store.findLogs(piece) : piece);
      for (const job of piece) {
        this.#stop.signal.throwIfAborted();
        if (consoles.isOpen(job)) continue;
        if (known.has(job)) await consoles.files.measure(job);
        else await consoles.files.remove(job);
      }
    }
  }

  async #dropOldLogs(): Promise<void> {
    const { rules, wallMs } = this.#options;
    const { logSeconds, jobSeconds } = rules();
    const endedBefore = wallMs() - Math.min(logSeconds, jobSeconds) * 1000;
    for (;;) {
      const old = await this.#oldestLogs(endedBefore);
      if (old.length === 0) return;
      await this.#dropLogs(old);
    }
  }

  async #dropLogs(logs: readonly { job: number }[], isEnough = () => false): Promise<void> {
    const { consoles, store, wallMs } = this.#options;
    const gone: number[] = [];
    for (const { job } of logs) {
      if (isEnough()) break;
      this.#stop.signal.throwIfAborted();
      await consoles.files.remove(job);
      gone.push(job);
    }
    await store.dropLogs(gone, wallMs());
  }

  async #dropOldImages(): Promise<void> {
    const { images, rules, wallMs } = this.#options;
    const usedBefore = wallMs() - rules().imageSeconds * 1000;
    for (const { hash, usedAt } of await images.idle()) {
      if (usedAt >= usedBefore) return;
      this.#stop.signal.throwIfAborted();
      await images.remove(hash);
    }
  }

  /** The oldest goes first, be it console or image, until the rest fits or nothing more may go. */
  async #shrink(): Promise<void> {
    const { images, wallMs } = this.#options;
    if (!this.#isTooMuch()) return;
    const idle = await images.idle();
    while (this.#isTooMuch()) {
      const logs = await this.#oldestLogs(wallMs() - freshMs);
      const [log] = logs;
      const [image] = idle;
      if (!log && !image) return;
      if (image && (!log || image.usedAt <= log.endedWallAt)) {
        idle.shift();
        await images.remove(image.hash);
      } else {
        const older = logs.filter(({ endedWallAt }) => !image || endedWallAt < image.usedAt);
        await this.#dropLogs(older, () => !this.#isTooMuch());
      }
    }
  }

  /** Ended jobs whose console may go. One that is still open, though its job has ended, is closed in a moment. */
  async #oldestLogs(endedBefore: number): Promise<{ job: number; endedWallAt: number }[]> {
    const { consoles, store } = this.#options;
    const logs = await store.listLogs({ endedBefore, limit: pieceMax });
    return logs.filter(({ job }) => !consoles.isOpen(job));
  }

  #isTooMuch(): boolean {
    const use = this.diskUse;
    return use !== undefined && use.totalBytes > use.totalBytesMax;
  }

  /** To the end, since a busy lab adds faster than once a minute. */
  async #pruneRows(): Promise<void> {
    const { store, rules, wallMs } = this.#options;
    const { ticketSeconds, jobSeconds, auditSeconds } = rules();
    const now = wallMs();
    const before = {
      answersAt: now - answersKeptMs,
      ticketsAt: now - ticketSeconds * 1000,
      jobsAt: now - jobSeconds * 1000,
      auditAt: now - auditSeconds * 1000,
    };
    while (!this.#stop.signal.aborted && (await store.prune(before)));
  }

  #tellUse(): void {
    const use = this.diskUse;
    if (!use) return;
    const wasNearlyFull = this.#isNearlyFull;
    this.#isNearlyFull = use.totalBytes >= use.totalBytesMax * nearlyFull;
    if (!this.#isNearlyFull || wasNearlyFull) return;
    const { logger, stateFolder } = this.#options;
    const [taken, most] = [use.totalBytes, use.totalBytesMax].map(bytesText);
    logger.warn(`the state folder takes ${taken} of the ${most} that disk_max allows`, {
      stateFolder,
      ...use,
    });
  }
}

/** Also where the wall clock has gone back. */
function isDue(now: number, lastAt: number, everyMs: number): boolean {
  return now - lastAt >= everyMs || now < lastAt;
}
