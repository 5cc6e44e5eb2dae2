// Clients that are processes: a lock is held by one that lives, or is taken by one that ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const acquireMsMax = 180_000;
const endMsMax = 10_000;

/** A process that holds a lock as long as it lives, and says by its first line that it has it. */
export class HoldingProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    program: string,
    words: readonly string[],
    env: NodeJS.ProcessEnv,
  ): Promise<HoldingProcess> {
    const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => child.kill('SIGKILL'), acquireMsMax);
    child.stdout.once('data', () => resolve());
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${program} ${words.join(' ')} ended with ${code}`)));
    await promise.finally(() => clearTimeout(late));
    return new HoldingProcess(child);
  }

  /** Resolves when it has let go and ended. By SIGINT: `etcdctl` knows no other way. */
  end(): Promise<void> {
    return endProcess(this.#child, 'SIGINT');
  }
}

/** Resolves when a process that must succeed has ended. */
export async function runProcess(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn(program, words, { env, stdio: 'ignore' });
  const late = setTimeout(() => child.kill('SIGKILL'), acquireMsMax);
  const [code] = await once(child, 'exit').finally(() => clearTimeout(late));
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}`);
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const late = setTimeout(() => child.kill('SIGKILL'), endMsMax);
  child.kill(signal);
  await ended;
  clearTimeout(late);
}
