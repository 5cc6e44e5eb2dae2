// From `mq run` typed to the first console line printed: client, upload, server, agent, emulator and back. Beside it,
// in turns, the same Node with nothing to do, which is where any command begins.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultEndText, firstLine, makeImage } from '../src/testing/images/make-image.ts';
import { root, startLab } from './lab/lab.ts';
import { median } from './statistics.ts';

export interface BootProgramFigures {
  readonly runs: number;
  readonly firstLineMs: number;
  readonly wholeRunMs: number;
  readonly nodeMs: number;
}

const runMsMax = 60_000;

export async function run({ runs }: { runs: number }): Promise<BootProgramFigures> {
  const lab = await startLab({ boards: 1 });
  try {
    const image = join(lab.folder, 'hello.elf');
    await writeFile(image, makeImage({ kind: 'hello' }));
    const firsts: number[] = [];
    const wholes: number[] = [];
    const nodes: number[] = [];
    for (let count = -1; count < runs; count += 1) {
      const { first, whole } = await time(lab.socketPath, image);
      const startedAt = performance.now();
      await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
      if (count < 0) continue;
      nodes.push(performance.now() - startedAt);
      firsts.push(first);
      wholes.push(whole);
    }
    return { runs, firstLineMs: median(firsts), wholeRunMs: median(wholes), nodeMs: median(nodes) };
  } finally {
    await lab.close();
  }
}

async function time(socketPath: string, image: string): Promise<{ first: number; whole: number }> {
  const startedAt = performance.now();
  const words = ['run', '-c', defaultEndText, '-s', 'board-0', '-f', image];
  const child = spawn(join(root, 'bin/mq'), words, {
    env: { ...process.env, MQ_SERVER: `unix:${socketPath}` },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: runMsMax,
  });
  let text = '';
  let first = Number.NaN;
  child.stdout.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    if (Number.isNaN(first) && text.includes(firstLine('hello').trimEnd()))
      first = performance.now() - startedAt;
  });
  const [code] = await once(child, 'close');
  if (code !== 0 || Number.isNaN(first)) throw new Error(`the run ended with ${code}:\n${text}`);
  return { first, whole: performance.now() - startedAt };
}
