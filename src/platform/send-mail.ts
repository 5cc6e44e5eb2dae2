// Sends one mail, plain text in UTF-8: to an SMTP server, or through a program that takes what sendmail takes. No shell.
// The package that makes mails is loaded with the first one. Each send ends within a time limit.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

export type MailRoute =
  | {
      readonly kind: 'smtp';
      readonly host: string;
      readonly port: number;
      /** `starttls`: never goes on without; `implicit`: from the first byte; `none`: not even where it is offered. */
      readonly tls: 'starttls' | 'implicit' | 'none';
      readonly login?: { readonly user: string; readonly password: string };
    }
  /** Absolute path. Called as `PATH -i -f FROM -- TO`, with the mail on its standard input. */
  | { readonly kind: 'sendmail'; readonly path: string };

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** With the angle brackets. The same mail sent twice has the same. */
  readonly messageId: string;
  readonly date: Date;
}

export class MailError extends Error {
  /** `address`: this one is refused for good. `mail`: this mail is not taken now. `route`: no mail gets through now. */
  readonly scope: 'address' | 'mail' | 'route';

  constructor(scope: MailError['scope'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MailError';
    this.scope = scope;
  }
}

const connectMs = 15_000;
const silenceMs = 20_000;
const sendMs = 45_000;
const outputLengthMax = 1_000;

/** Resolves when the other side has taken the mail. Rejects with MailError. `signal` gives up at once. */
export async function sendMail(route: MailRoute, mail: Mail, signal: AbortSignal): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(sendMs)]);
  const { createTransport } = await import('nodemailer');
  const message = {
    from: mail.from,
    to: mail.to,
    subject: mail.subject,
    text: mail.text,
    messageId: mail.messageId,
    date: mail.date,
    // So that no absence note answers it.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
    signal: limit,
  };
  if (route.kind === 'smtp') {
    const transport = createTransport(smtpOptions(route));
    try {
      await transport.sendMail(message);
    } catch (error) {
      throw asMailError(error);
    } finally {
      transport.close();
    }
    return;
  }
  const made = await createTransport({ streamTransport: true, buffer: true, newline: 'unix' }).sendMail(
    message,
  );
  const { from, to } = made.envelope as { from: string; to: string[] };
  await pipeTo(route.path, ['-i', '-f', from, '--', ...to], { mail: made.message as Buffer, limit });
}

function smtpOptions(route: Extract<MailRoute, { kind: 'smtp' }>) {
  const { host, port, tls, login } = route;
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password } }),
  };
}

function asMailError(error: unknown): MailError {
  const { responseCode, code, message } = error as { responseCode?: number; code?: string; message: string };
  const isOfEnvelope = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (!isOfEnvelope || responseCode === undefined) return new MailError('route', message, { cause: error });
  return new MailError(responseCode >= 500 ? 'address' : 'mail', message, { cause: error });
}

/** Of sendmail's exit codes: no such user, no such host. */
const refusedCodes = [67, 68];

async function pipeTo(
  path: string,
  words: readonly string[],
  { mail, limit }: { mail: Buffer; limit: AbortSignal },
): Promise<void> {
  const child = spawn(path, words, {
    stdio: ['pipe', 'ignore', 'pipe'],
    signal: limit,
    killSignal: 'SIGKILL',
  });
  // One that does not read is told by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(mail);
  const output = collect(child.stderr);
  const closed = once(child, 'close').catch(() => undefined);
  const failure = await endOf(child);
  // For all that it has to say; a process that it left behind may have its end of the pipe still.
  if (failure !== undefined) await Promise.race([closed, aborted(limit)]);
  child.stderr.destroy();
  if (failure === undefined) return;
  const scope = refusedCodes.includes(child.exitCode ?? 0) ? 'address' : 'route';
  throw new MailError(scope, `${path} did not take the mail: ${failure}. ${output().trim()}`.trim());
}

/** Resolves when the program has ended, or could not be started: with what went wrong. */
function endOf(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let error: Error | undefined;
    child.once('exit', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(error?.message ?? (signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
    // Of one that runs it tells that the limit has come; then it is ended.
    child.once('error', (cause) => {
      error = cause;
      if (child.pid === undefined) resolve(cause.message);
    });
  });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    text = (text + piece).slice(0, outputLengthMax);
  });
  return () => text;
}
