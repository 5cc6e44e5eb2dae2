/** The TCP socket of a server, and the token that it asks for. */
import { type Static, Type } from 'typebox';
import { absolutePath, closed, flag } from './values.ts';

/** Where a secret is. Bare text would end up in backups and screenshots of the file, so there is no such form. */
const secret = (description: string) =>
  Type.Unsafe<{ file: string } | { env: string }>({
    type: 'object',
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    properties: {
      file: absolutePath('A file that only the server may read.'),
      env: Type.String({
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        maxLength: 200,
        title: 'the name of a variable',
        description: 'A variable in the server’s environment.',
      }),
    },
    title: '{ file: PATH } or { env: NAME }',
    description,
  });

export const listen = Type.Object(
  {
    tcp: Type.String({
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9][A-Za-z0-9.-]*):[0-9]{1,5}$',
      maxLength: 300,
      title: 'HOST:PORT, such as 127.0.0.1:7411',
      description: 'Where clients connect.',
    }),
    token: secret('The token that clients must bring.'),
    user: Type.Optional(
      Type.String({
        pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$',
        maxLength: 200,
        default: 'admin',
        title: 'a user’s name',
        description: 'As whom a client counts that brings the token; its role is admin.',
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          cert: absolutePath('The certificate, with those between it and its authority (PEM).'),
          key: absolutePath('Its key (PEM); only the server may read it.'),
        },
        {
          ...closed,
          title: '{ cert: PATH, key: PATH }',
          description: 'Without it the socket speaks plain HTTP.',
        },
      ),
    ),
    insecure: Type.Optional(flag('Plain HTTP on an address that other hosts reach.')),
  },
  {
    ...closed,
    title: 'a mapping with tcp and token',
    description: 'A TCP socket beside the unix socket.',
  },
);

export type SourceListen = Static<typeof listen>;
