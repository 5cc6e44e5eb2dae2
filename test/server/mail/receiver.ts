// A real SMTP server that keeps what it is sent, refuses what a test wants refused, and reads mails as people would.
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came. */
  readonly raw: string;
  /** Unfolded, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export class Receiver {
  readonly mails: ReceivedMail[] = [];
  readonly logins: { user: string; password: string }[] = [];
  /** Response codes of RCPT by address. */
  readonly refused = new Map<string, number>();
  /** Nothing is answered any more. */
  hangs = false;
  attempts = 0;
  readonly #server: SMTPServer;

  constructor(options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onConnect: (_session, done) => {
        this.attempts += 1;
        if (!this.hangs) done();
      },
      onAuth: ({ username, password }, _session, done) => {
        this.logins.push({ user: username ?? '', password: password ?? '' });
        done(null, { user: username ?? '' });
      },
      onRcptTo: ({ address }, _session, done) => {
        const code = this.refused.get(address);
        done(code === undefined ? undefined : Object.assign(new Error('refused'), { responseCode: code }));
      },
      onData: (stream, { envelope }, done) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          const to = envelope.rcptTo.map(({ address }) => address);
          this.mails.push({ from, to, ...readMail(Buffer.concat(pieces).toString('latin1')) });
          done();
        });
      },
      ...options,
    });
    this.#server.on('error', () => undefined);
  }

  /** The port; closed with the test. */
  async listen(t: TestContext, port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    t.after(() => this.close());
    return (this.#server.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Knows what a plain text in one part can be encoded in. */
export function readMail(raw: string): Pick<ReceivedMail, 'raw' | 'headers' | 'text'> {
  const [head = '', ...rest] = raw.replaceAll('\r\n', '\n').split('\n\n');
  const lines = head.replace(/\n[ \t]+/g, ' ').split('\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const body = rest.join('\n\n');
  const encoding = headers.get('content-transfer-encoding');
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : Buffer.from(encoding === 'quoted-printable' ? fromQuotedPrintable(body) : body, 'latin1');
  return { raw, headers, text: bytes.toString('utf8') };
}

function fromQuotedPrintable(text: string): string {
  return text
    .replaceAll('=\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
