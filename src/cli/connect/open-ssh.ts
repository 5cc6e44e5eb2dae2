// Opens the channel through ssh: runs `mq connect` on the server's host and speaks frames over its input and output.
// Starts a process for each link; no shell of this side is in between. Loaded only where an address is ssh://.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex, type Readable, type Writable } from 'node:stream';
import type { Link, LinkHandlers, OpenLink } from '../../client/link.ts';
import { MqError } from '../../protocol/errors.ts';
import type { SshAddress } from './address.ts';
import { frameLink } from './frame-link.ts';

type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** What stands before the host. What a user's own configuration adds must not ask, forward or run anything else. */
const fixedOptions = [
  '-T',
  '-a',
  '-x',
  ...['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=15', 'ClearAllForwardings=yes'].flatMap(
    (option) => ['-o', option],
  ),
  ...['-o', 'RemoteCommand=none'],
];

/** How long an ssh whose connection is gone may take to end. */
const lastWordMs = 5_000;

export interface SshOptions {
  /** The program on the server's host: a path or a name, as MQ_REMOTE gives it. */
  readonly remote: string | undefined;
  /** Where ssh's own words go; each line is told once, however often the connection is tried. */
  readonly complain: (line: string) => void;
}

/** The words for ssh. Throws BAD_REQUEST where `remote` holds what a shell would read as more than a path. */
export function sshWords({ host, user, port }: SshAddress, remote = 'mq'): string[] {
  if (!/^[\w~/.+][\w~/.+@-]*$/.test(remote)) {
    throw new MqError(
      'BAD_REQUEST',
      'MQ_REMOTE must be the path of mq on the server, of letters, digits and ~/.+@_- only.',
    );
  }
  return [
    ...fixedOptions,
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    '--',
    host,
    `${remote} connect`,
  ];
}

/** Links through ssh. Each rejects with what ssh's end means; a link is up when the server has answered over it. */
export function openSsh(address: SshAddress, { remote, complain }: SshOptions): OpenLink {
  const words = sshWords(address, remote);
  const told = new Set<string>();
  const tell = (line: string): void => {
    if (line === '' || told.has(line)) return;
    told.add(line);
    complain(line);
  };
  return (handlers, { signal }) => {
    signal.throwIfAborted();
    // In a session of its own: Ctrl+C is for mq, which still has something to say to the server then.
    const ssh = spawn('ssh', words, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    readLines(ssh.stderr, tell);
    return linkOver(ssh, handlers, { address, signal });
  };
}

function linkOver(
  ssh: Ssh,
  handlers: LinkHandlers,
  { address, signal }: { address: SshAddress; signal: AbortSignal },
): Promise<Link> {
  return new Promise((resolve, reject) => {
    let isUp = false;
    const ended = endOf(ssh, address.host);
    const fail = (error: unknown) => {
      ssh.kill();
      reject(error);
    };
    const onAbort = () => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const stream = Duplex.from({ writable: ssh.stdin, readable: ssh.stdout });
    // Before the link was up, ssh's own end says why there is none: it gets the time to come to it.
    stream.once('close', () => (isUp ? ssh.kill() : endSoon(ssh)));
    const link = frameLink(
      stream,
      {
        onMessage: (message) => handlers.onMessage(message),
        onData: (piece) => handlers.onData(piece),
        onClose: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (isUp) handlers.onClose(error);
          else if (error instanceof MqError) fail(error);
          else ended.then(fail, fail);
        },
      },
      {
        relay: 'ssh',
        onGranted: () => {
          isUp = true;
          signal.removeEventListener('abort', onAbort);
          resolve(link);
        },
      },
    );
  });
}

/** Lets ssh end by itself, its input and output being closed, and ends it where it does not. */
function endSoon(ssh: Ssh): void {
  const limit = setTimeout(() => ssh.kill(), lastWordMs);
  ssh.once('exit', () => clearTimeout(limit));
}

/** Resolves, never rejects, with what the end of ssh means. */
async function endOf(ssh: Ssh, host: string): Promise<MqError> {
  const because = (text: string) => new MqError('SERVER_UNREACHABLE', text, { details: { host } });
  try {
    const [code, signal] = (await once(ssh, 'exit')) as [number | null, string | null];
    if (code === 127)
      return because(`there is no mq on ${host}, or not where its shell looks; MQ_REMOTE gives its path`);
    if (code === 255) return because(`ssh can't connect to ${host}`);
    return because(`ssh to ${host} has ended with ${code === null ? signal : `code ${code}`}`);
  } catch (error) {
    return because(`ssh can't be started: ${error instanceof Error ? error.message : error}`);
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => onLine(rest));
  stream.on('error', () => {});
}
