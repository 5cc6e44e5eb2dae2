// The drivers that a configuration may name: the one place that knows them all.

import type { BoardDriver } from '../drivers/board/contract.ts';
import { createPartsDriver } from '../drivers/board/parts.ts';
import { createQemuDriver } from '../drivers/board/qemu.ts';
import { createScriptDriver } from '../drivers/board/script.ts';
import { createV86Driver } from '../drivers/board/v86.ts';
import { createCopyBoot } from '../drivers/boot/copy.ts';
import { createExecConsole } from '../drivers/console/exec.ts';
import { createTcpConsole } from '../drivers/console/tcp.ts';
import { createCommandPower } from '../drivers/power/command.ts';
import type { MachineSpec, PartsMachine } from '../protocol/machine.ts';

export function createBoardDriver(machine: MachineSpec): BoardDriver {
  switch (machine.driver) {
    case 'script':
      return createScriptDriver(machine);
    case 'v86':
      return createV86Driver(machine);
    case 'qemu':
      return createQemuDriver(machine);
    case 'parts':
      return driverOfParts(machine);
  }
}

function driverOfParts({ power, console, boot }: PartsMachine): BoardDriver {
  return createPartsDriver({
    power: createCommandPower(power),
    powerLimits: { seconds: power.timeoutSeconds, retries: power.retries },
    console: console.driver === 'tcp' ? createTcpConsole(console) : createExecConsole(console),
    consoleLimits: console,
    boot: createCopyBoot(boot),
  });
}
