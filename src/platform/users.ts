// Names of users and groups, from wherever this system keeps them (files, LDAP, sssd): Node itself only
// knows its own user. A slow name service delays the answer but not this thread, and is asked rarely.

import { userInfo } from 'node:os';
import { performance } from 'node:perf_hooks';
import { getSystemErrorName } from 'node:util';
import { loadNative } from './native.ts';
import { PlatformError } from './platform-error.ts';

/** Longest accepted text of one entry; groups with thousands of members need a lot. */
const entryTextBytesMax = 4 * 1024 * 1024;
/** More than struct passwd or struct group needs on any system. */
const entryBytes = 256;

type CachedName = { name: string; readAtMs: number };

/** Remembers the names of the users that were asked for; that a user is unknown is asked again each time. */
export class UserNames {
  readonly #entriesMax: number;
  readonly #freshMs: number;
  readonly #nowMs: () => number;
  readonly #lookUp: (uid: number) => Promise<string | undefined>;
  /** In the order of their reading, so that the first is the oldest. */
  readonly #cached = new Map<number, CachedName>();
  readonly #pending = new Map<number, Promise<string | undefined>>();

  /** `freshMs`: how long an answer is good. `lookUp` stands in for the name service. */
  constructor(
    options: {
      entriesMax?: number;
      freshMs?: number;
      nowMs?: () => number;
      lookUp?: (uid: number) => Promise<string | undefined>;
    } = {},
  ) {
    this.#entriesMax = options.entriesMax ?? 4096;
    this.#freshMs = options.freshMs ?? 60_000;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#lookUp = options.lookUp ?? lookUpUserName;
  }

  /** The name if it is known and fresh, without waiting; undefined says: ask `findName`. */
  cachedName(uid: number): string | undefined {
    const cached = this.#cached.get(uid);
    return cached !== undefined && this.#nowMs() - cached.readAtMs < this.#freshMs ? cached.name : undefined;
  }

  /**
   * The name of a user, or undefined where the system knows no such user.
   * When the name service fails, a name it gave before is used however old it is: numbers keep their users,
   * and an outage must not lock people out. Without one it throws NAME_LOOKUP_FAILED.
   */
  async findName(uid: number): Promise<string | undefined> {
    const cached = this.cachedName(uid);
    if (cached !== undefined) return cached;
    let pending = this.#pending.get(uid);
    if (pending === undefined) {
      pending = this.#read(uid).finally(() => this.#pending.delete(uid));
      this.#pending.set(uid, pending);
    }
    return await pending;
  }

  async #read(uid: number): Promise<string | undefined> {
    let name: string | undefined;
    try {
      name = await this.#lookUp(uid);
    } catch (error) {
      const before = this.#cached.get(uid)?.name;
      if (before === undefined) throw error;
      return before;
    }
    this.#cached.delete(uid);
    if (name === undefined) return undefined;
    this.#cached.set(uid, { name, readAtMs: this.#nowMs() });
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= this.#entriesMax) break;
      this.#cached.delete(oldest);
    }
    return name;
  }
}

/** The name of the user that this process runs as; the number as text where it has no name. */
export function ownUserName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that nobody gave a name.
    return String(process.geteuid?.() ?? 0);
  }
}

/** The number of a group. Throws GROUP_UNKNOWN or NAME_LOOKUP_FAILED. May block: for start-up only. */
export function getGroupId(name: string): number {
  const native = loadNative();
  for (let textBytes = 4096; ; textBytes *= 4) {
    const entry = Buffer.alloc(entryBytes);
    const text = Buffer.alloc(textBytes);
    const found = new BigUint64Array(1);
    const errorNumber = native.getgrnam(name, entry, text, found);
    if (needsMoreRoom({ errorNumber, textBytes })) continue;
    assertAnswered(errorNumber, `group ${name}`);
    if (found[0] === 0n) {
      throw new PlatformError('GROUP_UNKNOWN', `there is no group ${name} on this system`, {
        details: { group: name },
      });
    }
    // struct group { char *name; char *password; gid_t gid; … }
    return entry.readUInt32LE(16);
  }
}

/** The number of a user, or undefined where the system knows no such user. Throws NAME_LOOKUP_FAILED. */
export async function findUserId(name: string): Promise<number | undefined> {
  const native = loadNative();
  for (let textBytes = 4096; ; textBytes *= 4) {
    const entry = Buffer.alloc(entryBytes);
    const text = Buffer.alloc(textBytes);
    const found = new BigUint64Array(1);
    const errorNumber = await native.getpwnam(name, entry, text, found);
    if (needsMoreRoom({ errorNumber, textBytes })) continue;
    assertAnswered(errorNumber, `user ${name}`);
    // struct passwd { char *name; char *password; uid_t uid; … }
    return found[0] === 0n ? undefined : entry.readUInt32LE(16);
  }
}

/** Asks the name service, on another thread. */
async function lookUpUserName(uid: number): Promise<string | undefined> {
  const native = loadNative();
  for (let textBytes = 4096; ; textBytes *= 4) {
    const entry = Buffer.alloc(entryBytes);
    const text = Buffer.alloc(textBytes);
    const found = new BigUint64Array(1);
    const errorNumber = await native.getpwuid(uid, entry, text, found);
    if (needsMoreRoom({ errorNumber, textBytes })) continue;
    assertAnswered(errorNumber, `user ${uid}`);
    if (found[0] === 0n) return undefined;
    // struct passwd { char *name; … }: an address inside `text`.
    return native.stringIn(text, entry.readBigUInt64LE(0));
  }
}

function needsMoreRoom({ errorNumber, textBytes }: { errorNumber: number; textBytes: number }): boolean {
  return errorNumber !== 0 && errorName(errorNumber) === 'ERANGE' && textBytes < entryTextBytesMax;
}

/** POSIX lets a system say 'no such entry' with these errors too. */
function assertAnswered(errorNumber: number, what: string): void {
  if (errorNumber === 0) return;
  const reason = errorName(errorNumber);
  if (reason === 'ENOENT' || reason === 'ESRCH') return;
  throw new PlatformError('NAME_LOOKUP_FAILED', `the name service did not answer for ${what}: ${reason}`, {
    details: { what, reason },
  });
}

function errorName(errorNumber: number): string {
  return getSystemErrorName(-errorNumber);
}
