// The lab of the simulation as a configuration, and what people ask of it: the boards and pools of the scheduler's
// simulation, in the words of the protocol.

import { createHash } from 'node:crypto';
import type { ImageSource } from '../../client/upload.ts';
import type { LabDefinition } from '../../domain/records.ts';
import { type BoardConfig, defaultLimits, defaultRetention, type LabConfig } from '../../protocol/lab.ts';
import type { RequestOf } from '../../protocol/operations.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import { boardOf } from '../simulation/lab.ts';
import type { Random } from '../simulation/random.ts';

export const users = ['ana', 'bob', 'cyd', 'dee', 'eve'] as const;

/** Boards whose power and console are apart. */
export const boardsOfParts: ReadonlySet<string> = new Set(['b3', 'b4', 'b6']);

export function toConfig({ boards, pools, discipline, gatherSeconds, limits }: LabDefinition): LabConfig {
  return {
    name: 'Simulated lab',
    boards: boards.map((board): BoardConfig => {
      const { files, linuxFiles, machine: _machine, attributes, ...rest } = board;
      return {
        ...rest,
        aliases: [...board.aliases],
        attributes: { ...attributes },
        files: { plain: files, linux: linuxFiles },
        machine: { driver: 'script', path: `/${boardOf(board.name)}` },
      };
    }),
    pools: pools.map((pool) => ({ ...pool, boards: [...pool.boards] })),
    priorityHigh: ['ana'],
    force: 'anyone',
    admins: ['root'],
    discipline,
    gatherSeconds,
    limits: { ...defaultLimits, ...limits },
    retention: {
      ...defaultRetention,
      ticketSeconds: 600,
      jobSeconds: 1_200,
      logSeconds: 600,
      auditSeconds: 600,
    },
  };
}

const boards = ['b0', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6'];
const pools = ['imx6', 'imx6-last-first', 'mixed', 'rested', 'x86', 'one'];

export function pickTarget(random: Random): string {
  const dice = random.next();
  if (dice < 0.3) return random.pick(boards);
  if (dice < 0.75) return random.pick(pools);
  if (dice < 0.85) return `soc=${random.pick(['imx6', 'imx8', 'x86'])}`;
  return random.shuffle(boards).slice(0, random.between(2, 3)).join(',');
}

export type Wish = Omit<RequestOf<'submit'>, 'requestId'>;

const images = ['hello', 'kernel', 'rootfs'].map((text) => Buffer.from(text.repeat(50)));

export function imageSources(): ImageSource[] {
  return images.map((bytes) => ({
    hash: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    open: async function* () {
      yield bytes;
    },
  }));
}

export function pickWish(random: Random, user: string): Wish {
  const kind = random.chance(0.4) ? 'run' : 'lock';
  const isSeveral = kind === 'lock' && random.chance(0.2);
  return {
    kind,
    target: pickTarget(random),
    key: random.pick(['0', '0', 'k1', 'k2', "it's a key"]),
    holdSeconds: random.chance(0.5) ? 0 : random.between(1, 15),
    ...(random.chance(0.5) ? {} : { waitSeconds: random.pick([0, 0, 2, 8, 30, 60]) }),
    priority: random.pick(
      user === 'ana' ? (['high', 'normal'] as const) : (['normal', 'normal', 'low'] as const),
    ),
    ...(random.chance(0.5) ? {} : { set: `ci-${random.between(1, 3)}` }),
    ...(kind === 'run' ? { job: pickJob(random) } : {}),
    ...(isSeveral && random.chance(0.5) ? { count: random.between(2, 3) } : {}),
    ...(isSeveral ? { also: [{ target: pickTarget(random) }] } : {}),
    reuse: kind === 'lock' && !isSeveral && random.chance(0.1),
    members: random.chance(0.2),
  };
}

/** Its texts are its own, so that whatever runs says whose it is. */
export function pickJob(random: Random): JobSpec {
  const about = random.between(1, 2 ** 31);
  const linux = random.chance(0.2);
  const files = imageSources().slice(0, random.between(1, 2));
  return {
    kind: 'image',
    files: files.map(({ hash, size }, at) => ({ name: `file-${at}`, hash, size })),
    linux,
    endText: `all of ${about} is well`,
    errorText: `all of ${about} is lost`,
    timeoutSeconds: random.between(2, 20),
    keepOn: false,
    detached: random.chance(0.15),
  };
}
