// The Telnet protocol, as far as a console server needs it: tells the board's bytes from negotiation, and asks for eight
// clean bits, no echo of ours and no lines. Pure. Source: RFC 854, 855, 856, 857, 858.

const interpretAsCommand = 255;
const [dont, doIt, wont, will] = [254, 253, 252, 251];
const [subnegotiation, subnegotiationEnd] = [250, 240];
const [binary, echo, suppressGoAhead] = [0, 1, 3];

/** What the server may do, and what we do, when asked for it. */
const wantedThere = [binary, echo, suppressGoAhead];
const wantedHere = [binary, suppressGoAhead];

type Place = 'data' | 'command' | 'option' | 'inside' | 'inside-command';

export class TelnetFilter {
  #place: Place = 'data';
  #verb = 0;
  /** Options that are on: `there` by the server, `here` by us. */
  readonly #there = new Set<number>();
  readonly #here = new Set<number>();
  #afterReturn = false;

  /** The board's bytes, and what the server is to be answered. Commands may be cut anywhere. */
  receive(received: Uint8Array): { readonly bytes: Uint8Array; readonly answer: Uint8Array } {
    const bytes: number[] = [];
    const answer: number[] = [];
    for (const byte of received) {
      if (this.#place === 'data') this.#takeData(byte, bytes);
      else if (this.#place === 'command') this.#takeCommand(byte, bytes);
      else if (this.#place === 'option') {
        this.#place = 'data';
        answer.push(...this.#negotiate(byte));
      } else if (this.#place === 'inside') {
        if (byte === interpretAsCommand) this.#place = 'inside-command';
      } else this.#place = byte === subnegotiationEnd ? 'data' : 'inside';
    }
    return { bytes: Uint8Array.from(bytes), answer: Uint8Array.from(answer) };
  }

  /** Bytes for the board as the server wants them. */
  escape(bytes: Uint8Array): Uint8Array {
    const sent: number[] = [];
    for (const byte of bytes) {
      sent.push(byte);
      if (byte === interpretAsCommand) sent.push(byte);
      // A return alone is followed by a zero where bytes are not clean.
      if (byte === 13 && !this.#here.has(binary)) sent.push(0);
    }
    return Uint8Array.from(sent);
  }

  #takeData(byte: number, bytes: number[]): void {
    if (byte === interpretAsCommand) {
      this.#place = 'command';
      return;
    }
    const isFiller = byte === 0 && this.#afterReturn && !this.#there.has(binary);
    this.#afterReturn = byte === 13;
    if (!isFiller) bytes.push(byte);
  }

  #takeCommand(byte: number, bytes: number[]): void {
    this.#place = 'data';
    if (byte === interpretAsCommand) {
      this.#afterReturn = false;
      bytes.push(byte);
    } else if (byte === subnegotiation) this.#place = 'inside';
    else if (byte === dont || byte === doIt || byte === wont || byte === will) {
      this.#verb = byte;
      this.#place = 'option';
    }
  }

  /** Answers only what changes something, so that two sides never answer each other for ever. */
  #negotiate(option: number): readonly number[] {
    const isOfServer = this.#verb === will || this.#verb === wont;
    const isOn = isOfServer ? this.#there : this.#here;
    const asksOn = this.#verb === will || this.#verb === doIt;
    const [yes, no] = isOfServer ? ([doIt, dont] as const) : ([will, wont] as const);
    if (!asksOn) return isOn.delete(option) ? [interpretAsCommand, no, option] : [];
    if (isOn.has(option)) return [];
    if (!(isOfServer ? wantedThere : wantedHere).some((wanted) => wanted === option)) {
      return [interpretAsCommand, no, option];
    }
    isOn.add(option);
    return [interpretAsCommand, yes, option];
  }
}
