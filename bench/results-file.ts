// Where figures are kept: bench/results/NAME.json, in the checkout's format. Files and the formatter only.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './lab/lab.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly platform: string;
  /** Processes that wanted a core in the minute before the run: with more than there are cores, figures are the neighbours' too. */
  readonly loadBefore: number;
}

export function thisMachine(): Machine {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    loadBefore: loadavg()[0] ?? Number.NaN,
  };
}

export function describeMachine({ cores, cpu, node, platform, loadBefore }: Machine): string {
  return `${cores} × ${cpu}, Node ${node}, ${platform}, load ${loadBefore.toFixed(1)} before the run`;
}

export function resultPath(name: string): string {
  return join(root, 'bench/results', name);
}

/** Writes figures as JSON, formatted as `npm run check` wants it. */
export function writeFigures(path: string, figures: object): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(figures, null, 2)}\n`);
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  spawnSync(process.execPath, [biome, 'format', '--write', path], { cwd: root, stdio: 'ignore' });
}
