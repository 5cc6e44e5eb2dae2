// What a person is told where no server answers. Pure.
import { MqError } from '../../protocol/errors.ts';
import { formatAddress, type ServerAddress } from './address.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ECONNREFUSED: 'nothing listens there',
  EACCES: 'this user may not open that socket',
  ENOTFOUND: 'there is no such host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks no TLS; http:// is the address of one without',
};

/** Says where was looked and what to do. Leaves every other error, and its details, as it is. */
export function unreachable(error: unknown, address: ServerAddress): unknown {
  if (!(error instanceof MqError) || error.code !== 'SERVER_UNREACHABLE') return error;
  const place = `${formatAddress(address)} (from ${address.from})`;
  const cause = error.cause as { code?: unknown; message?: unknown } | undefined;
  const what = reasons[String(cause?.code)] ?? String(cause?.message ?? error.message);
  const advice = adviceFor(address);
  const message = `No mq server answers at ${place}: ${what}. ${advice}`;
  return new MqError('SERVER_UNREACHABLE', message, {
    cause: error,
    details: { ...hostOf(address), ...error.details },
  });
}

function adviceFor(address: ServerAddress): string {
  switch (address.kind) {
    case 'ssh':
      return `Look whether 'ssh ${address.host} mq status' works, or say where the server is with --server or MQ_SERVER.`;
    case 'tcp':
      return address.tls
        ? "If its certificate has an authority of the lab's own, NODE_EXTRA_CA_CERTS=FILE names that."
        : "Look at 'listen' in the lab's configuration, or say where the server is with --server or MQ_SERVER.";
    case 'unix':
      return "Say where it is with --server unix:PATH or MQ_SERVER, or start it with 'mq server'.";
  }
}

function hostOf(address: ServerAddress): { host?: string } {
  return address.kind === 'tcp' ? { host: address.host } : {};
}
