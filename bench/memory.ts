// Resident memory of the server: idle, with many boards, with many tickets on few connections, and with one
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
}

/** The collector's own time to settle; a figure after it is what the process keeps. */
const settleMs = 3_000;

export async function run(options: {
  boards: number;
  tickets: number;
  clients: number;
}): Promise<MemoryFigures> {
  const { boards, tickets, clients } = options;
  const idleBytes = await measure(1, () => Promise.resolve([]));
  const manyBoardsBytes = await measure(boards, () => Promise.resolve([]));
  const manyTicketsBytes = await measure(1, (lab) => wait(lab, { tickets, connections: 10 }));
  const manyClientsBytes = await measure(1, (lab) => wait(lab, { tickets: clients, connections: clients }));
  return {
    idleBytes,
    boards,
    manyBoardsBytes,
    bytesPerBoard: (manyBoardsBytes - idleBytes) / boards,
    tickets,
    manyTicketsBytes,
    bytesPerTicket: (manyTicketsBytes - idleBytes) / tickets,
    clients,
    manyClientsBytes,
    bytesPerClient: (manyClientsBytes - idleBytes) / clients,
  };
}

async function measure(boards: number, load: (lab: BenchLab) => Promise<BenchChannel[]>): Promise<number> {
  const lab = await startLab({ boards });
  try {
    const channels = await load(lab);
    await pause(settleMs);
    const bytes = await lab.rssBytes();
    for (const channel of channels) channel.close();
    return bytes;
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
