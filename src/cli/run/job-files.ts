// What a run brings along, and its way to the server: each file is sent only where the server does not have it.
import { statSync } from 'node:fs';
import type { Client } from '../../client/client.ts';
import { uploadMissing } from '../../client/upload.ts';
import type { JobSpec } from '../../protocol/schema.ts';
import { type JobFile, readJobFile } from '../images.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** A job as it was asked for. */
export interface RunPlan {
  /** Paths, as given. */
  readonly files: readonly string[];
  readonly dtb: string | undefined;
  readonly bitstream: string | undefined;
  readonly linux: boolean;
  /** Regular expressions; empty: never. */
  readonly endText: string;
  readonly errorText: string;
  /** -1: the limit of the lab. */
  readonly timeoutSeconds: number;
  readonly keepOn: boolean;
}

/** Also where the path is none at all, such as one that is too long. */
export function isPlainFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Less is sent before anybody could read about it. */
const progressBytesMin = 2_000_000;

/** Brings the files to the server; returns what is to be run. Rejects with BAD_REQUEST where one can't be read. */
export async function sendJob(
  client: Client,
  plan: RunPlan,
  { terminal, signal, detached = false }: { terminal: Terminal; signal: AbortSignal; detached?: boolean },
): Promise<JobSpec> {
  const read = (path: string) => readJobFile(path, { signal });
  const files: JobFile[] = [];
  for (const path of plan.files) files.push(await read(path));
  const dtb = plan.dtb === undefined ? undefined : await read(plan.dtb);
  const bitstream = plan.bitstream === undefined ? undefined : await read(plan.bitstream);
  const sources = [...files, ...(dtb ? [dtb] : []), ...(bitstream ? [bitstream] : [])].map(
    ({ source }) => source,
  );
  await uploadMissing(client, sources, {
    signal,
    onProgress: ({ sentBytes, totalBytes }) => {
      if (totalBytes > progressBytesMin) {
        terminal.status(`Sending the files: ${megabytes(sentBytes)} of ${megabytes(totalBytes)} MB`);
      }
    },
  });
  terminal.wipe();
  return {
    kind: 'image',
    files: files.map(({ ref }) => ref),
    ...(dtb ? { dtb: dtb.ref } : {}),
    ...(bitstream ? { bitstream: bitstream.ref } : {}),
    linux: plan.linux,
    endText: plan.endText,
    errorText: plan.errorText,
    timeoutSeconds: plan.timeoutSeconds,
    keepOn: plan.keepOn,
    detached,
  };
}

/** On a PC the kernel comes first; the old script warned when it did not look so. */
export function fileOrderWarning(files: readonly string[]): string | undefined {
  const [first = '', second = ''] = files.map((path) => path.split('/').at(-1) ?? '');
  if (files.length !== 2 || !/kernel/i.test(second) || /kernel/i.test(first)) return undefined;
  return `Warning: the kernel comes first, and ${second} looks like it.`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
