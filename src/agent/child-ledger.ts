// The children that this agent made, noted before they are used, so that the successor of a killed agent finds and ends
// them. Each agent process writes a file of its own; those of earlier ones stay until their children are known to be gone.
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, readStartTime } from '../platform/process-table.ts';

/** Lines at which those of children that have ended are left out; more where as many children live. */
const linesMin = 1_000;

export class ChildLedger {
  readonly #path: string;
  readonly #earlierPaths: readonly string[];
  readonly #noted: ProcessIdentity[] = [];
  #shortenAt = linesMin;

  /** `name`: of this process's file in the folder; no other process may have had it. */
  constructor(folder: string, name: string) {
    this.#earlierPaths = readdirSync(folder).map((other) => join(folder, other));
    this.#path = join(folder, name);
  }

  /** With the kernel when it returns, which is enough against a kill of this process. Throws where the disk is full. */
  note(pid: number): void {
    const startTime = readStartTime(pid);
    // Gone already, or a system without a process table, where a number says nothing later.
    if (startTime === undefined) return;
    const child: ProcessIdentity = { pid, startTime };
    this.#noted.push(child);
    appendFileSync(this.#path, lineOf(child), { mode: 0o600 });
    if (this.#noted.length >= this.#shortenAt) this.#shorten();
  }

  /** Children of earlier agents. A line that a kill tore is of no child that was used. */
  readEarlier(): ProcessIdentity[] {
    return this.#earlierPaths
      .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
      .flatMap((line) => parseLine(line) ?? []);
  }

  forgetEarlier(): void {
    for (const path of this.#earlierPaths) rmSync(path, { force: true });
  }

  #shorten(): void {
    const living = this.#noted.filter(({ pid, startTime }) => readStartTime(pid) === startTime);
    this.#noted.splice(0, this.#noted.length, ...living);
    this.#shortenAt = Math.max(linesMin, 2 * living.length);
    // In place: a kill in the middle loses lines of living children, which their mark in the environment still gives away.
    writeFileSync(this.#path, living.map(lineOf).join(''), { mode: 0o600 });
  }
}

function lineOf(child: ProcessIdentity): string {
  return `${JSON.stringify(child)}\n`;
}

function parseLine(line: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(line) as Partial<ProcessIdentity>;
    return typeof pid === 'number' && typeof startTime === 'string' ? { pid, startTime } : undefined;
  } catch {
    return undefined;
  }
}
