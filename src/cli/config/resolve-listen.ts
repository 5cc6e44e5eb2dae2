/** The TCP socket of a lab's file, as the server takes it; and what must not be. Pure. */
import type { ListenConfig } from '../../protocol/lab.ts';
import type { SourceListen } from './schema/listen.ts';

const portMax = 65_535;

export function resolveListen({ tcp, token, user, tls }: SourceListen): ListenConfig {
  const { host, port } = splitAddress(tcp);
  return {
    host,
    port,
    token: { ...token },
    user: user ?? 'admin',
    ...(tls === undefined ? {} : { tls: { certPath: tls.cert, keyPath: tls.key } }),
  };
}

/** What is wrong with the address, as a sentence; undefined where nothing is. */
export function faultOfListen({ tcp, tls, insecure }: SourceListen): string | undefined {
  const { host, port } = splitAddress(tcp);
  if (port > portMax) return `the port in tcp of listen is ${port}, and the highest is ${portMax}`;
  if (tls !== undefined || insecure === true || isLoopback(host)) return undefined;
  return (
    `tcp of listen is '${tcp}', which other hosts reach, and the token would cross the network in plain text. ` +
    'Write tls: { cert: PATH, key: PATH }, or an address such as 127.0.0.1; insecure: true takes the risk'
  );
}

function splitAddress(tcp: string): { host: string; port: number } {
  const colon = tcp.lastIndexOf(':');
  return { host: tcp.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(tcp.slice(colon + 1)) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
