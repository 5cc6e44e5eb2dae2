/** The TCP socket of a server, and the token that it asks for. */
import { type Static, Type } from 'typebox';
import { absolutePath, closed, flag, secretPlace } from './values.ts';

export const listen = Type.Object(
  {
    tcp: Type.String({
      pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9][A-Za-z0-9.-]*):[0-9]{1,5}$',
      maxLength: 300,
      title: 'HOST:PORT, such as 127.0.0.1:7411',
      description: 'Where clients connect.',
    }),
    token: secretPlace('The token that clients must bring.'),
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
