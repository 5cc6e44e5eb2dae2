// Memory of the server, resident and on its heap: idle, with many boards, with many tickets on few connections, and with one
// connection a ticket. Linux only: it reads /proc.
import { setTimeout as pause } from 'node:timers/promises';
import { BenchChannel } from './lab/channel.ts';
import { type BenchLab, startLab } from './lab/lab.ts';

export interface MemoryFigures {
  readonly idleBytes: number;
  readonly boards: number;
  readonly manyBoardsBytes: number;
  readonly bytesPerBoard: number;
  readonly tickets: number;
  readonly manyTicketsBytes: number;
  /** Ticket number so many on a connection that is there anyway. */
  readonly bytesPerTicket: number;
  readonly clients: number;
  readonly manyClientsBytes: number;
  /** A connection of its own and one waiting ticket. */
  readonly bytesPerClient: number;
  readonly heapBytesPerClient: number;
}

interface Memory {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** The collector's own time to settle; a figure after it is what the process keeps. */
const settleMs = 3_000;

export async function run(options: {
  boards: number;
  tickets: number;
  clients: number;
}): Promise<MemoryFigures> {
  const { boards, tickets, clients } = options;
  const idle = await measure(1, () => Promise.resolve([]));
  const ofBoards = await measure(boards, () => Promise.resolve([]));
  const ofTickets = await measure(1, (lab) => wait(lab, { tickets, connections: 10 }));
  const ofClients = await measure(1, (lab) => wait(lab, { tickets: clients, connections: clients }));
  const idleBytes = idle.residentBytes;
  return {
    idleBytes,
    boards,
    manyBoardsBytes: ofBoards.residentBytes,
    bytesPerBoard: (ofBoards.residentBytes - idleBytes) / boards,
    tickets,
    manyTicketsBytes: ofTickets.residentBytes,
    bytesPerTicket: (ofTickets.residentBytes - idleBytes) / tickets,
    clients,
    manyClientsBytes: ofClients.residentBytes,
    bytesPerClient: (ofClients.residentBytes - idleBytes) / clients,
    heapBytesPerClient: (ofClients.heapBytes - idle.heapBytes) / clients,
  };
}

async function measure(boards: number, load: (lab: BenchLab) => Promise<BenchChannel[]>): Promise<Memory> {
  const lab = await startLab({ boards, nodeOptions: ['--inspect=127.0.0.1:0'] });
  try {
    const channels = await load(lab);
    await pause(settleMs);
    // As it is, before the heap is looked at.
    const residentBytes = await lab.rssBytes();
    const heapBytes = await lab.heapBytes();
    for (const channel of channels) channel.close();
    return { residentBytes, heapBytes };
  } finally {
    await lab.close();
  }
}

/** So many tickets that wait for one board, after one that has it. */
async function wait(
  lab: BenchLab,
  { tickets, connections }: { tickets: number; connections: number },
): Promise<BenchChannel[]> {
  const channels: BenchChannel[] = [];
  for (let count = 0; count < connections; count += 1) channels.push(await BenchChannel.open(lab.socketPath));
  let count = 0;
  const submit = async () => {
    const key = `key-${count}`;
    const channel = channels[count++ % connections];
    const wish = { target: 'board-0', kind: 'lock', key, set: key, members: false } as const;
    const answer = await channel?.change('submit', wish);
    if (answer?.view.state !== 'offered') return;
    await channel?.change('confirm', { ticket: answer.ticket, token: answer.view.token });
  };
  await submit();
  while (count <= tickets) {
    await Promise.all(Array.from({ length: Math.min(500, tickets + 1 - count) }, submit));
  }
  return channels;
}
