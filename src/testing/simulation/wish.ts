// What simulated clients ask for.
import type { Submit } from '../../domain/commands.ts';
import type { PriorityClass } from '../../domain/records.ts';
import { pickSeveral, pickTarget } from './lab.ts';
import type { Random } from './random.ts';

const users = ['ana', 'bob', 'cyd', 'dee', 'eve'];
const classes: readonly PriorityClass[] = [0, 1, 1, 1, 1, 1, 2];

export function pickWish(random: Random): Submit {
  const user = random.pick(users);
  const kind = random.chance(0.45) ? 'run' : 'lock';
  const linux = kind === 'run' && random.chance(0.2);
  return {
    caller: { user, admin: false },
    kind,
    target: kind === 'lock' && random.chance(0.15) ? pickSeveral(random) : pickTarget(random),
    key: random.pick(['0', '0', 'k1', 'k2', "it's a key"]),
    set: random.chance(0.5) ? user : `${user}/ci-${random.between(1, 3)}`,
    priority: random.pick(classes),
    holdSeconds: random.chance(0.5) ? 0 : random.between(1, 15),
    ...(random.chance(0.5) ? {} : { waitSeconds: random.pick([0, 0, 2, 8, 30, 60]) }),
    ...(kind === 'run' ? { job: { image: 'hello' } } : {}),
    ...(kind === 'run' && random.chance(0.6)
      ? { needs: { fileCount: random.between(1, 2), linux, dtb: linux && random.chance(0.3) } }
      : {}),
    detached: kind === 'run' && random.chance(0.1),
    note: '',
    reuse: random.chance(0.1),
    members: random.chance(0.2),
  };
}
