// Gets a job's files into its own folder, each under its user's own name, since some loaders look at that.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BoardFile, BoardJob } from '../drivers/board/contract.ts';
import type { FileRef, JobSpec } from '../protocol/schema.ts';
import type { ImageCache } from './image-cache.ts';

/** Waits for what has to come from the server. Rejects where a file can't be had, and with the signal's reason. */
export async function loadJob(
  spec: JobSpec,
  at: { readonly images: ImageCache; readonly workFolder: string; readonly signal: AbortSignal },
): Promise<BoardJob> {
  const { images, workFolder, signal } = at;
  const place = async (ref: FileRef, number: number): Promise<BoardFile> => {
    // A folder each: two files may have the same name.
    const folder = join(workFolder, String(number));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, plainName(ref.name));
    await images.place(ref.hash, path, signal);
    return { path, name: ref.name };
  };
  const [files, dtb, bitstream] = await Promise.all([
    Promise.all(spec.files.map((ref, index) => place(ref, index))),
    spec.dtb && place(spec.dtb, spec.files.length),
    spec.bitstream && place(spec.bitstream, spec.files.length + 1),
  ]);
  return {
    files,
    ...(dtb === undefined ? {} : { dtbPath: dtb.path }),
    ...(bitstream === undefined ? {} : { bitstreamPath: bitstream.path }),
    linux: spec.linux,
    endText: spec.endText,
    errorText: spec.errorText,
    timeoutSeconds: spec.timeoutSeconds,
    keepOn: spec.keepOn,
    logPath: join(workFolder, 'console.log'),
    workFolder,
  };
}

/** The last part of the user's name, without what a path could not take. */
function plainName(name: string): string {
  const last = name.split('/').at(-1)?.replaceAll('\0', '') ?? '';
  // A name may have 255 bytes; a character has four at most.
  return last === '' || last === '.' || last === '..' ? 'file' : last.slice(-60);
}
