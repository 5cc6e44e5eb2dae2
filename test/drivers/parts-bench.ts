// Boards by parts for tests: emulated boards, and drivers put together for them.

import { join } from 'node:path';
import type { BoardDriver } from '../../src/drivers/board/contract.ts';
import { type BoardParts, createPartsDriver } from '../../src/drivers/board/parts.ts';
import { createCopyBoot } from '../../src/drivers/boot/copy.ts';
import { createTcpConsole } from '../../src/drivers/console/tcp.ts';
import { createCommandPower } from '../../src/drivers/power/command.ts';
import { testFolder } from '../../src/testing/board-suite.ts';
import { EmulatedBoard, type EmulatedBoardOptions, powerCommand } from '../../src/testing/emulated-board.ts';

export interface PartsBench {
  readonly board: EmulatedBoard;
  readonly imagePath: string;
  readonly powerPort: number;
  readonly consolePort: number;
  /** A new driver of this board, with other parts where some are given. */
  createDriver(others?: Partial<BoardParts>): BoardDriver;
}

/** Gone after the test, or after all tests of the file. */
export async function openBench(
  t: { after(clean: () => Promise<void>): void },
  faults: Omit<EmulatedBoardOptions, 'imagePath'> = {},
): Promise<PartsBench> {
  const imagePath = join(await testFolder(t), 'kernel');
  const board = new EmulatedBoard({ imagePath, ...faults });
  const { powerPort, consolePort } = await board.open();
  t.after(() => board.close());
  const power = createCommandPower({
    powerOn: powerCommand(powerPort, 'on'),
    powerOff: powerCommand(powerPort, 'off'),
    status: powerCommand(powerPort, 'status'),
  });
  const createDriver = (others: Partial<BoardParts> = {}) =>
    createPartsDriver({
      power,
      powerLimits: { seconds: 20, retries: 1 },
      console: createTcpConsole({ host: '127.0.0.1', port: consolePort }),
      consoleLimits: { connectSeconds: 20, reconnectSeconds: 20 },
      boot: createCopyBoot({ to: imagePath }),
      ...others,
    });
  return { board, imagePath, powerPort, consolePort, createDriver };
}
