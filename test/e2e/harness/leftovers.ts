// Ends what a lab of a test left running: the agent, which outlives its server on purpose, and all that it started.
import { readdir, readFile } from 'node:fs/promises';

/** Ends every process whose command line or environment names the folder, and waits until none is left. Linux only. */
export async function endLeftovers(folder: string): Promise<void> {
  const endAt = performance.now() + 10_000;
  while (performance.now() < endAt) {
    const pids = await findByFolder(folder);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function findByFolder(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const named = await Promise.all(
    pids.map(async (pid) => {
      const texts = await Promise.all(
        ['cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      return texts.some((text) => text.includes(folder)) ? [pid] : [];
    }),
  );
  return named.flat();
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
