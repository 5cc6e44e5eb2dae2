// How much a server process keeps on its heap, asked of its inspector: first everything that nobody needs is collected.

const answerMsMax = 60_000;

/** Bytes in use on the main thread's heap after a full collection. `url`: what the process said at its start. */
export async function heapBytes(url: string): Promise<number> {
  const socket = new WebSocket(url);
  const late = setTimeout(() => socket.close(), answerMsMax);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('close', () => reject(new Error('the inspector does not answer')));
    });
    // What a first collection finalizes, a second one frees.
    await ask(socket, 1, 'HeapProfiler.collectGarbage');
    await ask(socket, 2, 'HeapProfiler.collectGarbage');
    const { usedSize } = await ask(socket, 3, 'Runtime.getHeapUsage');
    if (typeof usedSize !== 'number') throw new Error('the inspector told no heap');
    return usedSize;
  } finally {
    clearTimeout(late);
    socket.close();
  }
}

function ask(socket: WebSocket, id: number, method: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('close', () => reject(new Error(`${method} was not answered`)));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { id?: number; result?: Record<string, unknown> };
      if (message.id === id) resolve(message.result ?? {});
    });
    socket.send(JSON.stringify({ id, method }));
  });
}
