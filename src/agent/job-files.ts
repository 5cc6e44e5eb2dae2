// The agent's folder, and what it keeps there of its jobs, so that a killed agent's successor knows what was going on: a
// note of each job, its console, and its work folder. Paths are made from numbers only.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../platform/fsync-file.ts';
import { systemErrorCode } from '../platform/platform-error.ts';
import type { AgentJobResult } from '../protocol/agent-messages.ts';
import type { MachineSpec } from '../protocol/machine.ts';
import { ChildLedger } from './child-ledger.ts';
import { TokenStore } from './token-store.ts';

/** With `result` the job has ended, and its note only waits for the server to have it. */
export interface JobNote {
  readonly id: number;
  readonly board: string;
  readonly token: string;
  readonly machine: MachineSpec;
  readonly result?: AgentJobResult;
}

export class JobFiles {
  readonly #folder: string;
  readonly tokens: TokenStore;
  readonly children: ChildLedger;
  /** Marks the children of every agent of this folder; random, so that nobody else's process carries it. */
  readonly agentId: string;

  /** Makes the folder where it is missing. One process at a time may have it. */
  constructor(folder: string, newId: () => string) {
    this.#folder = folder;
    for (const name of ['jobs', 'consoles', 'images', 'work', 'children']) {
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    }
    this.agentId = readOrMakeId(join(folder, 'id'), newId);
    this.tokens = new TokenStore(join(folder, 'tokens.json'));
    this.children = new ChildLedger(join(folder, 'children'), newId());
  }

  /** Before the job touches its board. Enough against a kill; after a power cut the server misses the job by itself. */
  writeFirstNote(note: JobNote): void {
    const path = this.#notePath(note.id);
    writeFileSync(`${path}.first`, JSON.stringify(note), { mode: 0o600 });
    renameSync(`${path}.first`, path);
  }

  /** Resolves when the result survives a power cut. */
  async writeResult(note: JobNote & { readonly result: AgentJobResult }): Promise<void> {
    await writeFileDurably(this.#notePath(note.id), JSON.stringify(note));
  }

  /** Notes of an earlier agent, and the names of those that a power cut left without content. */
  readNotes(): { readonly notes: readonly JobNote[]; readonly damaged: readonly string[] } {
    const notes: JobNote[] = [];
    const damaged: string[] = [];
    for (const name of readdirSync(join(this.#folder, 'jobs'))) {
      if (!/^\d+\.json$/.test(name)) continue;
      const note = parseNote(readFileSync(join(this.#folder, 'jobs', name), 'utf8'));
      if (note === undefined) damaged.push(name);
      else notes.push(note);
    }
    return { notes, damaged };
  }

  /** Removes what belongs to no note: leftovers of a kill in the middle of `forget`, and damaged notes. */
  clearStray(notes: readonly JobNote[]): void {
    const known = new Set(notes.map(({ id }) => String(id)));
    for (const kind of ['consoles', 'work', 'jobs']) {
      for (const name of readdirSync(join(this.#folder, kind))) {
        if (!known.has(name.replace(/\.json$/, ''))) {
          rmSync(join(this.#folder, kind, name), { recursive: true, force: true });
        }
      }
    }
  }

  consoleFolder(job: number): string {
    return join(this.#folder, 'consoles', String(job));
  }

  /** Made empty. */
  makeWorkFolder(job: number): string {
    const path = this.#workFolder(job);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  imageFolder(): string {
    return join(this.#folder, 'images');
  }

  async clearWork(job: number): Promise<void> {
    await rm(this.#workFolder(job), { recursive: true, force: true });
  }

  /** The note goes first: without it the rest is cleared at the next start, and the job is not reported again. */
  async forget(job: number): Promise<void> {
    await rm(this.#notePath(job), { force: true });
    await rm(this.consoleFolder(job), { recursive: true, force: true });
    await this.clearWork(job);
  }

  #workFolder(job: number): string {
    return join(this.#folder, 'work', String(job));
  }

  #notePath(job: number): string {
    return join(this.#folder, 'jobs', `${job}.json`);
  }
}

function readOrMakeId(path: string, newId: () => string): string {
  try {
    const id = readFileSync(path, 'utf8').trim();
    if (id !== '') return id;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  const id = newId();
  writeFileSync(path, `${id}\n`, { mode: 0o600 });
  return id;
}

function parseNote(text: string): JobNote | undefined {
  try {
    const note = JSON.parse(text) as Partial<JobNote>;
    const { id, board, token, machine } = note;
    const isWhole =
      typeof id === 'number' && typeof board === 'string' && typeof token === 'string' && machine;
    return isWhole ? (note as JobNote) : undefined;
  } catch {
    return undefined;
  }
}
