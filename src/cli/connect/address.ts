// Where the server is: --server, then MQ_SERVER, then a configuration file, then the default. Reads one small file.
// (~/.mq is never read: people who used the old scripts have a shell file there.)
import { readFileSync } from 'node:fs';
import { MqError } from '../../protocol/errors.ts';
import { escapeText } from '../terminal/escape.ts';

export const defaultSocketPath = '/run/machine-queue/mq.sock';

export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
  /** Who said so, for messages. */
  readonly from: string;
}

/** A host with a server, on which `mq connect` is run through ssh. No part can pass for an option of ssh. */
export interface SshAddress {
  readonly kind: 'ssh';
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly from: string;
}

/** A server's TCP socket. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** A file with the token, from the same configuration file that named the server. */
  readonly tokenFile: string | undefined;
  readonly from: string;
}

export type ServerAddress = UnixAddress | SshAddress | TcpAddress;

export const tcpPort = 7411;

type Environment = Readonly<Record<string, string | undefined>>;

export interface AddressSources {
  /** Value of --server. */
  readonly option: string | undefined;
  readonly env: Environment;
  /** The text of a file, or undefined if there is none. */
  readonly readText?: (path: string) => string | undefined;
}

/** Throws BAD_REQUEST for an address that is none. */
export function findServer({ option, env, readText = readTextIfThere }: AddressSources): ServerAddress {
  if (option !== undefined) return parseAddress(option, '--server');
  if (env.MQ_SERVER) return parseAddress(env.MQ_SERVER, 'MQ_SERVER');
  const file = configPath(env);
  const text = file === undefined ? undefined : readText(file);
  const configured = text === undefined ? {} : settingsOf(text, file ?? '');
  if (configured.server !== undefined) {
    const address = parseAddress(configured.server, file ?? '');
    return address.kind === 'tcp' ? { ...address, tokenFile: configured.token_file } : address;
  }
  return { kind: 'unix', path: defaultSocketPath, from: 'the default' };
}

const sshPattern =
  /^ssh:\/\/(?:(?<user>\w[\w.+-]*)@)?(?:(?<host>\w[\w.-]*)|\[(?<ipv6>[0-9A-Fa-f:.]+)\])(?::(?<port>\d{1,5}))?\/?$/;

const tcpPattern =
  /^http(?<secure>s?):\/\/(?:(?<host>\w[\w.-]*)|\[(?<ipv6>[0-9A-Fa-f:.]+)\])(?::(?<port>\d{1,5}))?\/?$/;

/** `unix:PATH`, a path that starts with a slash, `ssh://[USER@]HOST[:PORT]`, or `http[s]://HOST[:PORT]`. */
export function parseAddress(text: string, from: string): ServerAddress {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : text;
  if (text.startsWith('unix:') ? path !== '' : path.startsWith('/')) return { kind: 'unix', path, from };
  const ssh = parseSsh(text, from);
  if (ssh !== undefined) return ssh;
  const tcp = parseTcp(text, from);
  if (tcp !== undefined) return tcp;
  throw new MqError(
    'BAD_REQUEST',
    `${from} gives '${escapeText(text)}' as the server's address. It must be unix:PATH, such as unix:${defaultSocketPath}, ssh://[USER@]HOST[:PORT] or https://HOST[:PORT].`,
  );
}

function parseSsh(text: string, from: string): SshAddress | undefined {
  const parts = sshPattern.exec(text)?.groups;
  if (!parts) return undefined;
  const port = parts.port === undefined ? undefined : Number(parts.port);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { kind: 'ssh', host: parts.host ?? parts.ipv6 ?? '', user: parts.user, port, from };
}

function parseTcp(text: string, from: string): TcpAddress | undefined {
  const parts = tcpPattern.exec(text)?.groups;
  if (!parts) return undefined;
  const port = parts.port === undefined ? tcpPort : Number(parts.port);
  if (port < 1 || port > 65_535) return undefined;
  const host = parts.host ?? parts.ipv6 ?? '';
  return { kind: 'tcp', host, port, tls: parts.secure === 's', tokenFile: undefined, from };
}

export function formatAddress(address: ServerAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  if (address.kind === 'tcp') return `http${address.tls ? 's' : ''}://${hostPort(address)}`;
  const { host, user, port } = address;
  const name = host.includes(':') ? `[${host}]` : host;
  return `ssh://${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`;
}

/** `HOST:PORT` as it stands in a URL. */
export function hostPort({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function configPath(env: Environment): string | undefined {
  const folder = env.XDG_CONFIG_HOME || (env.HOME ? `${env.HOME}/.config` : undefined);
  return folder === undefined ? undefined : `${folder}/machine-queue/config.yaml`;
}

const settings = ['server', 'token_file'] as const;
type Settings = Partial<Record<(typeof settings)[number], string>>;

/** The file has lines `key: value`, and comments after `#`. */
function settingsOf(text: string, file: string): Settings {
  const found: Settings = {};
  text.split('\n').forEach((line, index) => {
    const content = line.replace(/(^|\s)#.*$/, '').trim();
    if (content === '' || content === '---') return;
    const match = /^([A-Za-z_-]+)\s*:\s+(.*)$/.exec(content);
    const key = settings.find((known) => known === match?.[1]);
    if (key === undefined) {
      throw new MqError(
        'BAD_REQUEST',
        `${file}, line ${index + 1}: '${escapeText(content)}' is not understood. There are 'server: ADDRESS' and 'token_file: PATH'.`,
      );
    }
    found[key] = unquote(match?.[2] ?? '');
  });
  return found;
}

function unquote(value: string): string {
  const quoted = /^(["'])(.*)\1$/.exec(value);
  return quoted?.[2] ?? value;
}

function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
