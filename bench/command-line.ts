// How long a command takes from start to exit: `mq sem -mr-info BOARD` of the built program against a real server,
// beside the same Node with nothing to do; in turns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root, startLab } from './lab/lab.ts';
import { median, percentile } from './statistics.ts';

export interface CommandLineFigures {
  readonly runs: number;
  readonly commandMs: number;
  readonly commandP90Ms: number;
  readonly nodeMs: number;
  /** Median ÷ median. Goal: at most 2. */
  readonly ratio: number;
}

export async function run({ runs }: { runs: number }): Promise<CommandLineFigures> {
  const lab = await startLab({ boards: 1 });
  try {
    const env = { ...process.env, MQ_SERVER: `unix:${lab.socketPath}` };
    const command = [join(root, 'bin/mq'), 'sem', '-mr-info', 'board-0'] as const;
    const [commands, nodes]: [number[], number[]] = [[], []];
    for (let count = -2; count < runs; count += 1) {
      const [commandMs, nodeMs] = [await time(command, env), await time([process.execPath, '-e', '0'], env)];
      if (count < 0) continue;
      commands.push(commandMs);
      nodes.push(nodeMs);
    }
    const [commandMs, nodeMs] = [median(commands), median(nodes)];
    return { runs, commandMs, commandP90Ms: percentile(commands, 0.9), nodeMs, ratio: commandMs / nodeMs };
  } finally {
    await lab.close();
  }
}

/** Milliseconds of a command that must succeed. */
async function time(words: readonly [string, ...string[]], env: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(words[0], words.slice(1), { env, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  const ms = performance.now() - startedAt;
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}`);
  return ms;
}
