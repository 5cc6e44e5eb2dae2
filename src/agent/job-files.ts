// What the agent notes of its jobs on disk, so that a killed agent's successor knows what was going on: a record of each
// job, the children it made, its console spool, and the highest token of each board. Paths are made from numbers and
// from encoded board names only.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeDurably, writeDurably } from '../platform/durable-file.ts';
import type { ProcessIdentity } from '../platform/process-table.ts';
import type { AgentJobResult, MachineSpec } from '../protocol/agent-messages.ts';
import { compareTokens, lowestToken } from './token.ts';

/** A job's record; with `result` it has ended, and only waits to be forgotten. */
export interface JobNote {
  readonly id: number;
  readonly board: string;
  readonly token: string;
  readonly machine: MachineSpec;
  readonly result?: AgentJobResult;
  /** Where the end or error text ended. */
  readonly matchEnd?: number;
}

export class JobFiles {
  readonly #folder: string;
  readonly #tokens = new Map<string, string>();
  /** Children of this process go into a file of its own; those of earlier ones stay until they are known to be gone. */
  readonly #childrenFile: string;
  readonly #earlierChildren: readonly string[];
  /** Marks the children of every agent of this folder; random, so that nobody else's process carries it. */
  readonly agentId: string;

  constructor(folder: string, newId: () => string) {
    this.#folder = folder;
    for (const name of ['jobs', 'consoles', 'tokens', 'images', 'work', 'children']) {
      mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
    }
    this.agentId = readOr(join(folder, 'id'), () => {
      const id = newId();
      writeDurably(join(folder, 'id'), id);
      return id;
    });
    this.#earlierChildren = readdirSync(join(folder, 'children')).map((name) =>
      join(folder, 'children', name),
    );
    this.#childrenFile = join(folder, 'children', newId());
    for (const name of readdirSync(join(folder, 'tokens'))) {
      if (name.endsWith('.new')) continue;
      this.#tokens.set(decodeURIComponent(name), readFileSync(join(folder, 'tokens', name), 'utf8'));
    }
  }

  /** The highest token that the board has seen. */
  tokenOf(board: string): string {
    return this.#tokens.get(board) ?? lowestToken;
  }

  highestToken(): string {
    let highest = lowestToken;
    for (const token of this.#tokens.values()) if (compareTokens(token, highest) > 0) highest = token;
    return highest;
  }

  /** Durable before it returns: from here on a lower token does nothing on this board, whatever happens. */
  raiseToken(board: string, token: string): void {
    if (compareTokens(token, this.tokenOf(board)) <= 0) return;
    writeDurably(join(this.#folder, 'tokens', encodeURIComponent(board)), token);
    this.#tokens.set(board, token);
  }

  writeNote(note: JobNote): void {
    writeDurably(this.#notePath(note.id), JSON.stringify(note));
  }

  readNotes(): JobNote[] {
    const names = readdirSync(join(this.#folder, 'jobs')).filter((name) => name.endsWith('.json'));
    return names.map((name) => JSON.parse(readFileSync(join(this.#folder, 'jobs', name), 'utf8')) as JobNote);
  }

  /** In the page cache when it returns, which is enough against a kill of this process. */
  noteChild(child: ProcessIdentity): void {
    appendFileSync(this.#childrenFile, `${JSON.stringify(child)}\n`);
  }

  /** Children of earlier agents of this folder; a torn last line is no child that was used. */
  readEarlierChildren(): ProcessIdentity[] {
    return this.#earlierChildren
      .flatMap((path) => readOr(path, () => '').split('\n'))
      .flatMap((line) => parseChild(line) ?? []);
  }

  forgetEarlierChildren(): void {
    for (const path of this.#earlierChildren) rmSync(path, { force: true });
  }

  consoleFolder(job: number): string {
    return join(this.#folder, 'consoles', String(job));
  }

  workFolder(job: number): string {
    const path = join(this.#folder, 'work', String(job));
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }

  imageFolder(): string {
    return join(this.#folder, 'images');
  }

  clearWork(job: number): void {
    rmSync(join(this.#folder, 'work', String(job)), { recursive: true, force: true });
  }

  forget(job: number): void {
    rmSync(this.consoleFolder(job), { recursive: true, force: true });
    this.clearWork(job);
    removeDurably(this.#notePath(job));
  }

  #notePath(job: number): string {
    return join(this.#folder, 'jobs', `${job}.json`);
  }
}

function readOr(path: string, otherwise: () => string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return otherwise();
  }
}

function parseChild(line: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime } = JSON.parse(line) as ProcessIdentity;
    return { pid, startTime };
  } catch {
    return undefined;
  }
}
