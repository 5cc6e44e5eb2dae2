// What clients of a history ask for, from chance: single boards, pools, several at once, jobs. Every wish has a key of its own.

import { createHash } from 'node:crypto';
import type { ImageSource } from '../../client/upload.ts';
import type { RequestOf } from '../../protocol/operations.ts';
import type { Random } from '../simulation/random.ts';
import { jobBytes, type LabShape } from './lab-processes.ts';

export type Wish = Omit<RequestOf<'submit'>, 'requestId'>;

/** Six boards, each in one or two pools: enough to have queues and free boards in turns. */
export function pickShape(random: Random): LabShape {
  return {
    boards: ['a', 'b', 'c', 'd', 'e', 'f'],
    pools: { left: ['a', 'b', 'c'], right: ['c', 'd', 'e'], last: ['f'] },
    discipline: random.pick(['turns', 'fifo']),
  };
}

export function pickTarget(random: Random): string {
  const dice = random.next();
  if (dice < 0.4) return random.pick(['a', 'a', 'b', 'f']);
  return dice < 0.92 ? random.pick(['left', 'left', 'right']) : random.pick(['a,d', 'b,e,f']);
}

/** A lock of one board, now and then of several. */
export function pickLock(random: Random, key: string): Wish {
  const isSeveral = random.chance(0.12);
  const several: Partial<Wish> = random.chance(0.5)
    ? { target: random.pick(['left', 'right']), count: 2 }
    : { target: 'a', also: [{ target: random.pick(['f', 'right']) }] };
  return {
    kind: 'lock',
    target: pickTarget(random),
    key,
    members: false,
    ...(random.chance(0.3) ? { holdSeconds: 1 } : {}),
    ...(random.chance(0.3) ? { waitSeconds: random.pick([0, 1, 3]) } : {}),
    ...(random.chance(0.5) ? { set: random.pick(['x', 'y']) } : {}),
    ...(random.chance(0.15) ? { priority: 'low' as const } : {}),
    ...(isSeveral ? several : {}),
  };
}

export interface JobOf {
  readonly wish: Wish;
  readonly source: ImageSource;
}

/** A job that prints some lines and takes some tens of milliseconds, now and then longer. */
export function pickJob(random: Random, key: string, kind: 'run' | 'slot', target: string): JobOf {
  return jobOf({
    key,
    kind,
    target,
    lines: random.between(1, 4),
    pause: random.chance(0.2) ? 0.4 : random.pick([0, 0.01, 0.02]),
    isDetached: kind === 'run' && random.chance(0.2),
  });
}

/** Its file's name says what it is. `pause`: seconds after each line. */
export function jobOf({
  key,
  kind,
  target,
  lines,
  pause,
  isDetached,
}: {
  key: string;
  kind: 'run' | 'slot';
  target: string;
  lines: number;
  pause: number;
  isDetached: boolean;
}): JobOf {
  const bytes = jobBytes({ label: key, lines, pause });
  const hash = createHash('sha256').update(bytes).digest('hex');
  const size = bytes.length;
  const open = async function* () {
    yield bytes;
  };
  const wish: Wish = {
    kind,
    target,
    key,
    members: false,
    job: {
      kind: 'image',
      files: [{ name: `${key}.${lines}`, hash, size }],
      linux: false,
      endText: 'x',
      errorText: '',
      timeoutSeconds: 60,
      keepOn: false,
      detached: isDetached,
    },
  };
  return { wish, source: { hash, size, open } };
}
