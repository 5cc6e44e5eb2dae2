// Driver qemu: real machine code in a real QEMU, a real boot loader on another architecture, and how both end.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BoardFile, BoardJob } from '../../src/drivers/board/contract.ts';
import { createQemuDriver, type QemuOptions } from '../../src/drivers/board/qemu.ts';
import {
  boardJob,
  neverAborted,
  testBoardDriver,
  testFolder,
  writeBoardFile,
} from '../../src/testing/board-suite.ts';
import { ConsoleRecord } from '../../src/testing/console-record.ts';
import { type ImageSpec, makeImage } from '../../src/testing/images/make-image.ts';
import { floodLineBytes } from '../../src/testing/images/programs.ts';
import { processRuns } from './lab-program.ts';

const uBoot = '/usr/lib/u-boot/qemu_arm/u-boot.bin';
const pc: QemuOptions = { program: 'qemu-system-i386', machine: 'pc', memoryMb: 16, arguments: [] };
const arm: QemuOptions = {
  ...{ program: 'qemu-system-arm', machine: 'virt', cpu: 'cortex-a15', memoryMb: 64 },
  arguments: ['-bios', uBoot],
};

/** Why there can be no such board here; for `skip`. False where there can. A CI must have it. */
function whyNot(...needed: readonly string[]): string | false {
  const folders = (process.env.PATH ?? '').split(':');
  const missing = needed.filter(
    (name) => ![name, ...folders.map((folder) => join(folder, name))].some(existsSync),
  );
  if (missing.length === 0) return false;
  const reason = `${missing.join(', ')} is missing; npm run setup:debian adds it`;
  if (process.env.CI) throw new Error(reason);
  return reason;
}
const noPc = whyNot('qemu-system-i386');
const noArm = whyNot('qemu-system-arm', uBoot);

/** Each byte of a serial port is work for QEMU. */
const floodLines = 2048;

if (noPc === false) {
  testBoardDriver('qemu', {
    createDriver: () => createQemuDriver(pc),
    missing: (job) => ({ driver: createQemuDriver({ ...pc, program: 'no-such-thing' }), job }),
    load: async (program, folder) => {
      const megabytes = (floodLines * floodLineBytes) / 1024 ** 2;
      const spec: ImageSpec = program === 'flood' ? { kind: program, megabytes } : { kind: program };
      return [await writeBoardFile(folder, program, makeImage(spec))];
    },
    floodLines,
  });
}

type NamedFile = readonly [name: string, content: Uint8Array | string];

async function boot(
  t: TestContext,
  named: readonly NamedFile[],
  more: { options?: QemuOptions; changes?: Partial<BoardJob> } = {},
) {
  const folder = await testFolder(t);
  const files: BoardFile[] = [];
  for (const [name, content] of named) files.push(await writeBoardFile(folder, name, content));
  const console = new ConsoleRecord();
  const children: number[] = [];
  const driver = createQemuDriver(more.options ?? pc);
  const hooks = {
    onConsole: console.onConsole,
    onChild: ({ pid }: { readonly pid: number }) => children.push(pid),
  };
  const session = await driver.start(boardJob(files, folder, more.changes), hooks, {
    signal: neverAborted(),
  });
  t.after(() => session.stop());
  return { session, console, driver, children };
}

test('the second file is the initial RAM disk, whatever commas are in its name', {
  skip: noPc,
}, async (t) => {
  const { console } = await boot(t, [
    ['kernel,old', makeImage({ kind: 'module' })],
    ['root,server', 'root server\n'],
  ]);
  await console.waitFor('universe\n');
  assert.match(console.text, /^module: booted\nmodule of 12 bytes\nroot server\n/);
});

test('a stopped board leaves no process', { skip: noPc }, async (t) => {
  const { session, console, children } = await boot(t, [['kernel', makeImage({ kind: 'hang' })]]);
  await console.waitFor('booted');
  const [pid = 0] = children;
  assert.equal(processRuns(pid), true);
  await session.stop();
  assert.equal(processRuns(pid), false);
});

test('a QEMU that somebody else ends is a fault of the lab', { skip: noPc }, async (t) => {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const { session, console, children } = await boot(t, [['kernel', makeImage({ kind: 'hang' })]]);
    await console.waitFor('booted');
    process.kill(children[0] ?? 0, signal);
    const exit = await session.exit;
    assert.ok(exit.kind === 'fault', exit.kind);
    assert.match(exit.message, /'qemu-system-i386' (was ended by SIGKILL|ended: .*terminating on signal 15)/);
  }
});

test('arguments that QEMU does not know are a fault of the lab, with its words', {
  skip: noPc,
}, async (t) => {
  const options = { ...pc, arguments: ['-no-such-thing'] };
  const { session } = await boot(t, [['kernel', makeImage({ kind: 'hello' })]], { options });
  const exit = await session.exit;
  assert.ok(exit.kind === 'fault', exit.kind);
  assert.match(exit.message, /'qemu-system-i386' ended: .*no-such-thing: invalid option/);
});

test('a file that is no kernel is the fault of its user, and is called as the user did', {
  skip: noPc,
}, async (t) => {
  const { session } = await boot(t, [['my kernel', 'no kernel at all']]);
  const message = "'qemu-system-i386' can't load 'my kernel': qemu: invalid kernel header";
  assert.deepEqual(await session.exit, { kind: 'boot-failed', message });
});

test('a guest that leaves by a code of its own has exited with it', { skip: noPc }, async (t) => {
  // A device that ends QEMU when its port is written, here where the PC's firmware does so.
  const options = { ...pc, arguments: ['-device', 'isa-debug-exit,iobase=0x64,iosize=1'] };
  const { session } = await boot(t, [['kernel', makeImage({ kind: 'reset' })]], { options });
  const exit = await session.exit;
  assert.ok(exit.kind === 'exited' && exit.code % 2 === 1, JSON.stringify(exit));
});

test('more than two files, or a bitstream, are the fault of the user', { skip: noPc }, async (t) => {
  const file: NamedFile = ['file', ''];
  const three = await boot(t, [file, file, file]);
  assert.equal((await three.session.exit).kind, 'boot-failed');
  const bitstream = await boot(t, [file], { changes: { bitstreamPath: '/b.bit' } });
  assert.equal((await bitstream.session.exit).kind, 'boot-failed');
});

test('a real boot loader on ARM: it prints, takes input, and a guest that shuts down has exited', {
  skip: noArm,
}, async (t) => {
  const { session, console } = await boot(t, [['image', 'any']], { options: arm });
  await console.waitFor('Hit any key to stop autoboot');
  session.write(Buffer.from('\n'));
  await console.waitFor('=> ');
  session.write(Buffer.from('poweroff\n'));
  assert.deepEqual(await session.exit, { kind: 'exited', code: 0 });
  assert.match(console.text, /U-Boot 20\d\d/);
  assert.match(console.text, /poweroff \.\.\./);
});
