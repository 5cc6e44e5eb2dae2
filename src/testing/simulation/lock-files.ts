// Lock files in a folder that old clients share: who has which, what the server makes and removes there, and old clients
// that come and go, forget, and take by force. A board has one file, and nobody holds it beside that.
import type { Command } from '../../domain/commands.ts';
import type { BoardRecord, FoundFile, LockRecord, TicketRecord } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import { decide, type FileState, textOf, type Work } from '../../server/lock-files/decide.ts';
import { agentBoards, boardOf, lockFolder } from './lab.ts';
import type { World } from './world.ts';

type LockFile =
  | { readonly isOurs: true; readonly token: string; readonly text: string }
  | { readonly isOurs: false; readonly found: FoundFile };

interface Known {
  readonly board?: BoardRecord | undefined;
  readonly lock?: LockRecord | undefined;
}

const names = agentBoards.flat();
const lookEveryMs = 2_000;

export class SimulatedLockFiles {
  readonly #world: World;
  readonly #files = new Map<string, LockFile>();
  readonly #pins = new Set<string>();
  readonly #working = new Set<string>();
  readonly #dirty = new Set<string>();
  /** Whose file of ours an old client has removed by force, until there is another. */
  readonly #robbed = new Set<string>();
  /** Rises with each life of the server, whose work of before is dropped. */
  #life = 0;
  #made = 0;
  /** The folder can't be used now. */
  fails = false;
  /** Locks that old clients took. */
  taken = 0;

  constructor(world: World) {
    this.#world = world;
  }

  get isEmpty(): boolean {
    return this.#files.size === 0 && this.#pins.size === 0;
  }

  // ---- the server's side ----

  onUp(): void {
    this.#life += 1;
    this.#working.clear();
    this.#dirty.clear();
    this.#lookAtAll(this.#life);
  }

  note(board: string): void {
    const name = boardOf(board);
    this.#dirty.add(name);
    if (!this.#world.server.isUp || this.#working.has(name)) return;
    this.#working.add(name);
    this.#settle(name);
  }

  #lookAtAll(life: number): void {
    if (life !== this.#life || !this.#world.server.isUp) return;
    for (const name of names) this.note(name);
    this.#world.agenda.in(lookEveryMs, () => this.#lookAtAll(life));
  }

  /** As the server does it: reads what the scheduler has, asks what is there, does the one thing that is due. */
  #settle(name: string): void {
    this.#dirty.delete(name);
    const known = this.#find(name);
    this.#later(() => {
      const isAgain = this.#step(name, known);
      if (isAgain || this.#dirty.has(name)) this.#settle(name);
      else this.#working.delete(name);
    });
  }

  /** In this life of the server; slow now and then. */
  #later(action: () => void): void {
    const { random, agenda, isCalm } = this.#world;
    const life = this.#life;
    const isSlow = !isCalm && random.chance(0.01);
    agenda.in(isSlow ? random.between(1_000, 30_000) : random.between(1, 12), () => {
      if (life === this.#life && this.#world.server.isUp) action();
    });
  }

  #find(name: string): Known {
    const { mirror } = this.#world.server.checker;
    const present = mirror.all('board').filter((board) => boardOf(board.name) === name);
    const board = present.find((one) => mirror.get('lock', one.name)) ?? present.at(-1);
    return board ? { board, lock: mirror.get('lock', board.name) } : {};
  }

  #step(name: string, { board, lock }: Known): boolean {
    const { lab } = this.#world.server.checker.mirror;
    if (this.fails && board && lab.lockFiles !== undefined) {
      this.#post({ name: 'lockFileFault', body: { folder: lockFolder, boards: [board.name], why: 'gone' } });
      return false;
    }
    const state = this.#stateOf(name);
    const isWanted = board !== undefined && lab.lockFiles !== undefined;
    const written = this.#files.get(name);
    const text = written?.isOurs ? written.text : undefined;
    const work: Work = isWanted ? decide(lock, state, text) : state.isPinned ? 'drop' : 'nothing';
    const isAgain = this.#do(work, name, { lock, found: state.found });
    if (board?.fileFault)
      this.#post({ name: 'lockFileFault', body: { folder: lockFolder, boards: [board.name] } });
    if (work === 'report' && board) this.#report(board.name, lock, state.found);
    return isAgain;
  }

  #stateOf(name: string): FileState {
    const file = this.#files.get(name);
    const found = file && !file.isOurs ? { found: file.found } : {};
    return { isPinned: this.#pins.has(name), isOurs: file?.isOurs ?? false, ...found };
  }

  #do(
    work: Work,
    name: string,
    about: { lock: LockRecord | undefined; found: FoundFile | undefined },
  ): boolean {
    const { lock, found } = about;
    switch (work) {
      case 'drop':
        this.#drop(name);
        return true;
      case 'evict':
        if (this.#stateOf(name).found?.id === found?.id) this.#files.delete(name);
        return true;
      case 'rewrite':
      case 'make':
        if (lock) this.#make(name, lock);
        return work === 'rewrite';
      default:
        return false;
    }
  }

  #drop(name: string): void {
    this.#pins.delete(name);
    if (this.#files.get(name)?.isOurs) this.#files.delete(name);
  }

  #make(name: string, lock: LockRecord): void {
    const { board, token } = lock;
    this.#drop(name);
    const file = this.#files.get(name);
    if (file) return file.isOurs ? undefined : this.#report(board, lock, file.found);
    this.#pins.add(name);
    this.#robbed.delete(name);
    this.#files.set(name, { isOurs: true, token: formatToken(token), text: textOf(lock) });
    if (lock.file !== 'made')
      this.#later(() => this.#post({ name: 'lockFileMade', body: { folder: lockFolder, board, token } }));
  }

  #report(board: string, lock: LockRecord | undefined, found: FoundFile | undefined): void {
    const token = lock ? { token: lock.token } : {};
    const body = { folder: lockFolder, board, ...token, ...(found ? { found } : {}) };
    this.#later(() => this.#post({ name: 'lockFileSeen', body }));
  }

  #post(command: Command): void {
    this.#world.server.post(command);
  }

  // ---- what must be so ----

  /** An offer is told: the lock files of what it grants are there and say so. */
  judgeOffer(ticket: TicketRecord): void {
    const { mirror } = this.#world.server.checker;
    if (!ticket.offer || ticket.kind === 'slot') return;
    for (const { board, token } of ticket.offer.all ?? [ticket.offer]) {
      const lock = mirror.get('lock', board);
      const text = formatToken(token);
      if (lock?.file === 'making') this.#world.fail(`${board} is offered before its lock file is made`);
      if (lock?.file !== 'made' || this.#robbed.has(boardOf(board))) continue;
      const file = this.#files.get(boardOf(board));
      if (!file?.isOurs || file.token !== text) this.#world.fail(`${board} is offered without its lock file`);
    }
  }

  // ---- old clients ----

  /** Takes a board's file if there is none, writes its key late, holds it for a while; one in ten forgets it. */
  visit(): void {
    const { random, agenda } = this.#world;
    const name = random.pick(names);
    if (this.#files.has(name)) return;
    this.#judgeTaken(name);
    this.taken += 1;
    this.#made += 1;
    const id = String(this.#made);
    const user = random.pick(['ana', 'bob', 'old']);
    const bare = { id, user, key: '0', sinceWallAt: 1e12 + agenda.nowMs, holdSeconds: 0 };
    this.#write(name, bare);
    agenda.in(random.between(1, 200), () => {
      const holdSeconds = random.chance(0.6) ? 0 : random.between(1, 10);
      if (this.#isThere(name, id)) this.#write(name, { ...bare, key: random.pick(['0', 'k1']), holdSeconds });
    });
    if (random.chance(0.1)) return;
    agenda.in(random.wait(4_000), () => {
      if (this.#isThere(name, id)) this.#remove(name);
    });
  }

  /** Removes whatever file is there (`-f`). */
  rob(): void {
    const there = [...this.#files.keys()];
    if (there.length > 0) this.#remove(this.#world.random.pick(there));
  }

  /** Old clients are done. */
  leave(): void {
    this.fails = false;
    for (const [name, file] of this.#files) if (!file.isOurs) this.#remove(name);
  }

  #isThere(name: string, id: string): boolean {
    return this.#stateOf(name).found?.id === id;
  }

  #write(name: string, found: FoundFile): void {
    this.#files.set(name, { isOurs: false, found });
    this.#tell(name);
  }

  #remove(name: string): void {
    const file = this.#files.get(name);
    if (file?.isOurs) this.#robbed.add(name);
    this.#files.delete(name);
    this.#tell(name);
  }

  /** The system tells of changes, but not always. */
  #tell(name: string): void {
    if (this.#world.random.chance(0.9)) this.#world.agenda.in(5, () => this.note(name));
  }

  #judgeTaken(name: string): void {
    const { lock } = this.#find(name);
    if (lock?.file !== 'made' || this.#robbed.has(name)) return;
    this.#world.fail(`an old client has ${lock.board}, which ${lock.user} holds`);
  }
}
