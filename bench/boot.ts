// How long from an image to its first console line: through the driver (a thread of its own, files read and
// checked) and with the bare emulator in this process, taken in turns on the same machine. The driver is
// measured as it is shipped, bundled: from source, each thread would first have to strip its types.
// Writes below .tmp/ of the checkout, and removes it again.

import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { V86 } from 'v86';
import { bundle } from '../scripts/build.ts';
import type { BoardDriver, BoardJob } from '../src/drivers/board/contract.ts';
import type { createV86Driver } from '../src/drivers/board/v86.ts';
import { entryFileName } from '../src/platform/entry-url.ts';
import { makeImage } from '../src/testing/images/make-image.ts';

export interface BootFigures {
  readonly rounds: number;
  /** Medians. */
  readonly driverMilliseconds: number;
  readonly bareMilliseconds: number;
  /** An empty thread until its first message, which is part of the driver's time. */
  readonly threadMilliseconds: number;
  /** How many times the bare emulator's time the driver takes. */
  readonly ratio: number;
}

const root = resolve(import.meta.dirname, '..');
const memoryMb = 32;
const lineFeed = 10;

/** Takes `rounds` of each, after one of each that does not count. */
export async function run({ rounds = 10 }: { readonly rounds?: number } = {}): Promise<BootFigures> {
  // Inside the checkout, so that the bundle finds the packages.
  await mkdir(join(root, '.tmp'), { recursive: true });
  const folder = await mkdtemp(join(root, '.tmp', 'bench-boot-'));
  try {
    const createDriver = await loadBundledDriver(folder);
    const path = join(folder, 'hello.elf');
    await writeFile(path, makeImage({ kind: 'hello' }));
    const wasm = await WebAssembly.compile(
      await readFile(fileURLToPath(import.meta.resolve('v86/build/v86.wasm'))),
    );
    const driver: number[] = [];
    const bare: number[] = [];
    const thread: number[] = [];
    for (let round = 0; round <= rounds; round += 1) {
      driver.push(await bootThroughDriver(createDriver({ memoryMb }), path, folder));
      bare.push(await bootBare(path, wasm));
      thread.push(await startThread());
    }
    const [driverMilliseconds, bareMilliseconds] = [median(driver.slice(1)), median(bare.slice(1))];
    const threadMilliseconds = median(thread.slice(1));
    const ratio = driverMilliseconds / bareMilliseconds;
    return { rounds, driverMilliseconds, bareMilliseconds, threadMilliseconds, ratio };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadBundledDriver(folder: string): Promise<typeof createV86Driver> {
  const source = 'drivers/board/v86.ts';
  const entries = [source, 'drivers/board/v86-thread.ts'];
  await bundle({ sourceDir: join(root, 'src'), outDir: folder, entries });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  const module = await import(pathToFileURL(join(folder, entryFileName(source))).href);
  return module.createV86Driver;
}

async function bootThroughDriver(board: BoardDriver, path: string, workFolder: string): Promise<number> {
  const job: BoardJob = {
    files: [{ path, name: 'hello.elf' }],
    linux: false,
    endText: '',
    errorText: '',
    timeoutSeconds: -1,
    keepOn: false,
    logPath: join(workFolder, 'log'),
    workFolder,
  };
  const { promise: firstLine, resolve, reject } = Promise.withResolvers<number>();
  const { signal } = new AbortController();
  const startedAt = performance.now();
  const onConsole = (bytes: Uint8Array) => {
    if (bytes.includes(lineFeed)) resolve(performance.now() - startedAt);
  };
  const session = await board.start(job, { onConsole }, { signal });
  void session.exit.then((exit) => reject(new Error(`the board ended first: ${JSON.stringify(exit)}`)));
  try {
    return await firstLine;
  } finally {
    await session.stop();
  }
}

async function bootBare(path: string, wasm: WebAssembly.Module): Promise<number> {
  const startedAt = performance.now();
  const image = Uint8Array.from(await readFile(path)).buffer;
  const emulator = new V86({
    wasm_fn: async (imports) => (await WebAssembly.instantiate(wasm, imports)).exports,
    memory_size: memoryMb * 1024 * 1024,
    multiboot: { buffer: image },
    autostart: true,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  });
  const milliseconds = await new Promise<number>((resolve) => {
    emulator.add_listener('serial0-output-byte', (byte) => {
      if (byte === lineFeed) resolve(performance.now() - startedAt);
    });
  });
  await emulator.destroy();
  return milliseconds;
}

async function startThread(): Promise<number> {
  const startedAt = performance.now();
  const code = "require('node:worker_threads').parentPort.postMessage('up')";
  const thread = new Worker(code, { eval: true });
  await once(thread, 'message');
  const milliseconds = performance.now() - startedAt;
  await thread.terminate();
  return milliseconds;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
