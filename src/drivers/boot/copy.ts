// Boot by copy: files are put into place under fixed names, where the board's loader looks for them, as in the folder of
// a TFTP server. Each comes whole or not at all. Writes only there, and makes no folder.

import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '../../platform/platform-error.ts';
import type { BoardJob } from '../board/contract.ts';
import type { BootDriver } from './contract.ts';

/** Absolute paths; a job may bring only what has a place here. */
export interface CopyBootOptions {
  /** The first file. */
  readonly to: string;
  readonly secondTo?: string;
  readonly dtbTo?: string;
  readonly bitstreamTo?: string;
}

/** Loaders run as users of their own. */
const fileMode = 0o644;

export function createCopyBoot(options: CopyBootOptions): BootDriver {
  const { to, secondTo, dtbTo, bitstreamTo } = options;
  const places = (job: BoardJob) =>
    [
      { what: 'an image', from: job.files[0]?.path, to },
      { what: 'a second image', from: job.files[1]?.path, to: secondTo },
      { what: 'a device tree', from: job.dtbPath, to: dtbTo },
      { what: 'a bitstream', from: job.bitstreamPath, to: bitstreamTo },
    ] as const;
  return {
    findUnfit(job) {
      if (job.files.length > 2) return `This board takes at most 2 images, not ${job.files.length}.`;
      const homeless = places(job).find(({ from, to }) => from !== undefined && to === undefined);
      return homeless && `This board has no place for ${homeless.what}.`;
    },
    async place(job, { signal }) {
      for (const { from, to } of places(job)) {
        if (to === undefined) continue;
        signal.throwIfAborted();
        if (from === undefined) await remove(to);
        else await copyWhole(from, to, signal);
      }
    },
  };
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (cause) {
    throw new Error(`the last job's '${path}' can't be removed: ${(cause as Error).message}`, { cause });
  }
}

/** Under another name first, which no other copy has: a board has one job at a time. */
async function copyWhole(from: string, to: string, signal: AbortSignal): Promise<void> {
  const early = `${to}.part`;
  try {
    await rm(early, { force: true });
    const file = createWriteStream(early, { flags: 'wx' });
    await pipeline(createReadStream(from), file, { signal });
    await chmod(early, fileMode);
    await rename(early, to);
  } catch (cause) {
    await rm(early, { force: true }).catch(() => undefined);
    const isNoFolder = ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(cause) ?? '');
    const hint = isNoFolder ? `. Is there a folder ${dirname(to)}?` : '';
    throw new Error(`'${to}' can't be written: ${(cause as Error).message}${hint}`, { cause });
  }
}
