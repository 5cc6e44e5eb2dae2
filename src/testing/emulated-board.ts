// A whole board for tests of boards by parts, seen from outside only: a power switch and a console, each a TCP port, and
// an image that it loads from a file when it is switched on. It has faults on demand, and keeps what it could not send.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface EmulatedBoardOptions {
  /** Read at each power on; without it the board stays mute. What is in it is printed, or `echoImage`. */
  readonly imagePath: string;
  /** So many power commands get no answer and do nothing; Infinity for all of them. */
  readonly hangingPowers?: number;
  /** The first console connection is closed when so many bytes were printed. */
  readonly dropAfterBytes?: number;
}

/** The image of a program that shows a prompt and answers each line. */
export const echoImage = 'echo\n';

const pieceBytes = 16 * 1024;

/** The words of a program that switches such a board: `on`, `off` or `status`, which it prints. */
export function powerCommand(port: number, verb: 'on' | 'off' | 'status'): string[] {
  const script =
    'exec 3<>"/dev/tcp/127.0.0.1/$1" && echo "$2" >&3 && read -r answer <&3 && echo "board is $answer"';
  return ['bash', '-c', script, 'power', String(port), verb];
}

export class EmulatedBoard {
  readonly #options: EmulatedBoardOptions;
  readonly #power = createServer((socket) => this.#onPower(socket));
  readonly #console = createServer((socket) => void this.#onConsole(socket));
  readonly #sockets = new Set<Socket>();
  #hangingLeft: number;
  #dropLeft: number;
  #isOn = false;
  /** Power commands, in the order in which they came. */
  readonly asked: string[] = [];
  #unsent = Buffer.alloc(0);
  #isEcho = false;
  #line = '';
  #client: Socket | undefined;

  constructor(options: EmulatedBoardOptions) {
    this.#options = options;
    this.#hangingLeft = options.hangingPowers ?? 0;
    this.#dropLeft = options.dropAfterBytes ?? Number.POSITIVE_INFINITY;
  }

  async open(): Promise<{ readonly powerPort: number; readonly consolePort: number }> {
    const listen = async (server: Server): Promise<number> => {
      server.on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        socket.on('error', () => undefined);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    };
    return { powerPort: await listen(this.#power), consolePort: await listen(this.#console) };
  }

  async close(): Promise<void> {
    for (const server of [this.#power, this.#console]) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  #onPower(socket: Socket): void {
    socket.once('data', async (bytes: Buffer) => {
      const verb = bytes.toString().trim();
      this.asked.push(verb);
      this.#hangingLeft -= 1;
      if (this.#hangingLeft >= 0) return;
      if (verb !== 'status') await this.#switch(verb === 'on');
      socket.end(`${this.#isOn ? 'on' : 'off'}\n`);
    });
  }

  async #switch(on: boolean): Promise<void> {
    if (on === this.#isOn) return;
    this.#isOn = on;
    this.#isEcho = false;
    this.#unsent = Buffer.alloc(0);
    if (!on) return;
    const image = await readFile(this.#options.imagePath).catch(() => Buffer.alloc(0));
    this.#isEcho = image.toString() === echoImage;
    this.#line = '';
    this.#print(this.#isEcho ? Buffer.from('> ') : image);
  }

  async #onConsole(socket: Socket): Promise<void> {
    this.#client = socket;
    socket.once('close', () => {
      if (this.#client === socket) this.#client = undefined;
    });
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#pump(socket);
  }

  #read(bytes: Buffer): void {
    if (!this.#isEcho) return;
    const lines = (this.#line + bytes.toString()).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#print(Buffer.from(`you said: ${line}\n> `));
  }

  #print(bytes: Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    if (this.#client) this.#pump(this.#client);
  }

  /** A piece at a time, each when the one before has left: what is in the socket when it closes would be lost. */
  #pump(socket: Socket): void {
    if (socket !== this.#client || socket.writableLength > 0 || this.#unsent.length === 0) return;
    const piece = this.#unsent.subarray(0, Math.min(pieceBytes, this.#dropLeft));
    this.#unsent = this.#unsent.subarray(piece.length);
    this.#dropLeft -= piece.length;
    if (this.#dropLeft > 0) return void socket.write(piece, () => this.#pump(socket));
    this.#dropLeft = Number.POSITIVE_INFINITY;
    this.#client = undefined;
    socket.end(piece);
  }
}
