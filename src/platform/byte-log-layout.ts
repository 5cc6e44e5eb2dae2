// Where the bytes of a byte log lie on disk. A log is a folder of segments; each is two files that carry its
// first offset in their names: NAME.bytes has the bytes as they came, NAME.times the records of byte-log-times.
// A log that outgrew its limit lacks segments in the middle, and bytes that the writer never got are skipped: the
// hole between two segments is the gap (an empty last segment ends one). So the folder describes itself, and nothing
// else has to be kept in step with it.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from './platform-error.ts';

export const recordBytes = 16;

/** Bytes from `start` up to but not including `end`, with this many times. `end` and times grow in the last one. */
export type Segment = { start: number; end: number; recordCount: number };

export function segmentPath(folder: string, start: number, kind: 'bytes' | 'times'): string {
  return join(folder, `${String(start).padStart(16, '0')}.${kind}`);
}

export type FolderScan = {
  /** In ascending order, without overlap. */
  segments: Segment[];
  /** Files of segments that a crash left half made or half removed; a writer removes them. */
  strayPaths: string[];
};

/** Reads what is there, also while a writer goes on: then it is what was there at one moment of the scan. */
export async function scanFolder(folder: string): Promise<FolderScan> {
  const sizes = { bytes: new Map<number, number>(), times: new Map<number, number>() };
  for (const name of (await readdir(folder)).sort()) {
    const match = /^(\d{16})\.(bytes|times)$/.exec(name);
    if (match === null) continue;
    const size = await findSize(join(folder, name));
    if (size !== undefined) sizes[match[2] === 'bytes' ? 'bytes' : 'times'].set(Number(match[1]), size);
  }
  const strayPaths = [...sizes.times.keys()]
    .filter((start) => !sizes.bytes.has(start))
    .map((start) => segmentPath(folder, start, 'times'));
  const starts = [...sizes.bytes.keys()].sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const [index, start] of starts.entries()) {
    const next = starts[index + 1];
    const end = Math.min(start + (sizes.bytes.get(start) ?? 0), next ?? Number.MAX_SAFE_INTEGER);
    if (end === start && next !== undefined) {
      strayPaths.push(segmentPath(folder, start, 'bytes'), segmentPath(folder, start, 'times'));
    } else {
      segments.push({ start, end, recordCount: Math.floor((sizes.times.get(start) ?? 0) / recordBytes) });
    }
  }
  return { segments, strayPaths };
}

async function findSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    // A writer dropped the segment between the listing and this question.
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
