// The thread of one emulated board: an x86 PC (the npm package v86) with one image in it, whose first serial
// port is the console. It has no disk, no network and no screen. Ends by being terminated from outside.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { V86 } from 'v86';
import type { BoardExit } from './contract.ts';
import { type FromThread, inputBytesMax, type ThreadStart, type ToThread } from './v86-messages.ts';
import { ConsoleOutput } from './v86-output.ts';

/** What the package does not declare. A test boots an image for each use, so a change of it is seen. */
interface Insides {
  readonly cpu: {
    /** Called when the guest resets the machine. */
    reboot_internal(): void;
    readonly devices: { readonly uart0: { readonly input: readonly number[] } };
  };
}

/** A paste is handed to the serial port in pieces: a long queue there is slow. */
const inputPieceBytes = 4096;
const inputPauseMilliseconds = 2;
const videoMemoryBytes = 1024 * 1024;

function openPort(): MessagePort {
  if (parentPort === null) throw new TypeError('v86-thread.ts runs as a thread only');
  return parentPort;
}

const port = openPort();
const start = workerData as ThreadStart;
let running = false;
let lastWords = '';

const emulator = new V86({
  wasm_fn: async (imports) => (await WebAssembly.instantiate(start.wasm, imports)).exports,
  memory_size: start.memoryBytes,
  vga_memory_size: videoMemoryBytes,
  multiboot: { buffer: start.image },
  ...(start.bootModule === undefined ? {} : { initrd: { buffer: start.bootModule } }),
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  // Any value that is no kind of card leaves the machine without one.
  net_device: { type: 'none' as 'virtio' },
}) as V86 & { readonly v86: Insides };

const output = new ConsoleOutput({
  send: (bytes) => post(bytes, [bytes.buffer as ArrayBuffer]),
  hold: () => void emulator.stop(),
  resume: () => void emulator.run(),
});

function post(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function end(exit: BoardExit): void {
  output.flush();
  void emulator.stop();
  post({ kind: 'ended', exit });
  // Nothing more is to happen here: the other side terminates the thread.
  port.close();
}

function crash(what: string): void {
  end({ kind: 'crashed', message: `The guest ${what}; it can't go on.` });
}

// The emulator reports what it can't do, a triple fault among them, on the console and by throwing.
console.error = console.log = (...words: unknown[]) => {
  lastWords = words.map(String).join(' ');
};
process.on('uncaughtException', (error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  // A write to this port is a convention by which test kernels leave an emulator.
  if (text === 'HALT') crash('left through the test port F4h');
  else if (running)
    crash(`did what the emulator has no answer to (${lastWords.split('\n').slice(0, 2).join(' ') || text})`);
  else end({ kind: 'fault', message: `The emulator did not start: ${text}` });
});

emulator.add_listener('serial0-output-byte', (byte) => output.put(byte));
// Not declared by the package: sent when the guest halts with interrupts off, which nothing ends.
emulator.add_listener('cpu-event-halt' as 'emulator-stopped', () => crash('halted with interrupts off'));
emulator.add_listener('emulator-loaded', () => {
  emulator.v86.cpu.reboot_internal = () => crash('reset the machine');
  running = true;
  void emulator.run();
});

const pendingInput: Uint8Array[] = [];
let pendingInputBytes = 0;
let feeding = false;

port.on('message', (message: ToThread) => {
  if (message.kind === 'taken') output.taken(message.bytes);
  else if (pendingInputBytes + message.bytes.length <= inputBytesMax) {
    pendingInput.push(message.bytes);
    pendingInputBytes += message.bytes.length;
    if (!feeding) feed();
  }
});

function feed(): void {
  const piece = pendingInput[0];
  feeding = piece !== undefined;
  if (piece === undefined) return;
  const room = running ? inputPieceBytes - emulator.v86.cpu.devices.uart0.input.length : 0;
  if (room > 0) {
    const now = piece.subarray(0, room);
    emulator.serial_send_bytes(0, now);
    pendingInputBytes -= now.length;
    if (now.length === piece.length) pendingInput.shift();
    else pendingInput[0] = piece.subarray(now.length);
  }
  setTimeout(feed, inputPauseMilliseconds);
}
