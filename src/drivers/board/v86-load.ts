// Gets a job ready for an emulated board: reads and checks its files, and loads the emulator itself.
// Touches the job's files and the v86 package, to read them.

import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { BoardExit, BoardFile, BoardJob } from './contract.ts';
import { inspectImage, megabytes } from './multiboot.ts';
import type { ThreadStart } from './v86-messages.ts';

/** Modules begin on a page of their own. */
const pageBytes = 4096;

export type Preparation =
  | { readonly ready: true; readonly start: ThreadStart }
  | { readonly ready: false; readonly exit: BoardExit };

/** Never rejects: what can't be booted, or not be read, is an exit. */
export async function prepareJob(job: BoardJob, memoryBytes: number): Promise<Preparation> {
  try {
    const problem = findUnfit(job) ?? (await findTooLarge(job.files, memoryBytes));
    if (problem !== undefined) return bootFailed(problem);
    return await readJob(job.files, memoryBytes);
  } catch (error) {
    const message = `The emulated board could not be made ready: ${(error as Error).message}`;
    return { ready: false, exit: { kind: 'fault', message } };
  }
}

function findUnfit(job: BoardJob): string | undefined {
  if (job.linux) return "An emulated PC boots multiboot images; it can't boot Linux over the network.";
  if (job.dtbPath !== undefined) return 'An emulated PC takes no device tree.';
  if (job.bitstreamPath !== undefined) return 'An emulated PC takes no bitstream.';
  if (job.files.length === 1 || job.files.length === 2) return undefined;
  return `An emulated PC takes an image and at most one module beside it, not ${job.files.length} files.`;
}

async function findTooLarge(files: readonly BoardFile[], memoryBytes: number): Promise<string | undefined> {
  for (const { path, name } of files) {
    const { size } = await stat(path);
    if (size < memoryBytes) continue;
    return `'${name}' has ${megabytes(size)} MB, and the board's memory ${megabytes(memoryBytes)} MB.`;
  }
  return undefined;
}

async function readJob(files: readonly BoardFile[], memoryBytes: number): Promise<Preparation> {
  const contents = await Promise.all(
    files.map(async ({ path, name }) => {
      const bytes = await readFile(path);
      return { name, bytes, image: inspectImage(bytes, memoryBytes) };
    }),
  );
  // The kernel may come second, so it is known by its header and not by its place.
  const kernel = contents.find(({ image }) => image.bootable || image.isMultiboot);
  if (kernel === undefined) {
    const names = contents.map(({ name }) => `'${name}'`);
    return bootFailed(
      names.length > 1
        ? `Neither ${names.join(' nor ')} is a multiboot image.`
        : `${names} is not a multiboot image.`,
    );
  }
  if (!kernel.image.bootable) return bootFailed(`'${kernel.name}' ${kernel.image.problem}.`);
  const bootModule = contents.find((file) => file !== kernel);
  const moduleEnd = kernel.image.topBytes + pageBytes + (bootModule?.bytes.length ?? 0);
  if (bootModule !== undefined && moduleEnd >= memoryBytes) {
    return bootFailed(
      `'${kernel.name}' and '${bootModule.name}' together don't fit into ${megabytes(memoryBytes)} MB.`,
    );
  }
  const start = {
    wasm: await loadEmulator(),
    image: ownBuffer(kernel.bytes),
    ...(bootModule === undefined ? {} : { bootModule: ownBuffer(bootModule.bytes) }),
    memoryBytes,
  };
  return { ready: true, start };
}

function bootFailed(message: string): Preparation {
  return { ready: false, exit: { kind: 'boot-failed', message } };
}

/** The bytes in a buffer that nothing else shares, so that it can be given to a thread. */
function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

let emulator: Promise<WebAssembly.Module> | undefined;

/** Compiled once and shared by all boards. */
function loadEmulator(): Promise<WebAssembly.Module> {
  emulator ??= readFile(fileURLToPath(import.meta.resolve('v86/build/v86.wasm')))
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      // The next job tries again.
      emulator = undefined;
      throw error;
    });
  return emulator;
}
