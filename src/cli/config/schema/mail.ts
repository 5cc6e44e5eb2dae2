/** Mail to whoever holds a board for long. */
import { Type } from 'typebox';
import { absolutePath, closed, duration, printable, secretPlace } from './values.ts';

const hostPattern = '[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?';
const addressPattern = `[^\\s<>@,;:"()\\[\\]\\\\\\u0000-\\u001f\\u007f]{1,64}@${hostPattern}`;
const address = (description: string) =>
  Type.String({
    pattern: `^${addressPattern}$`,
    maxLength: 320,
    title: 'a mail address, such as ana@lab.example',
    description,
  });

const smtp = Type.Object(
  {
    host: Type.String({
      pattern: `^(${hostPattern}|[0-9a-f:.]+)$`,
      maxLength: 253,
      title: 'the name of a host',
      description: 'The mail server.',
    }),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        title: 'a port from 1 to 65535',
        description: 'By default 587, with tls: implicit 465, with tls: none 25.',
      }),
    ),
    user: Type.Optional(
      Type.String({
        pattern: printable,
        maxLength: 320,
        title: 'text on one line',
        description: 'Who logs in there.',
      }),
    ),
    password: Type.Optional(secretPlace('Where the password is.')),
    tls: Type.Optional(
      Type.Unsafe<'starttls' | 'implicit' | 'none'>({
        enum: ['starttls', 'implicit', 'none'],
        default: 'starttls',
        title: 'starttls, implicit or none',
        description: 'How the connection is encrypted.',
      }),
    ),
  },
  {
    ...closed,
    title: 'a mapping such as { host: mail.lab.example }',
    description: 'The server that takes the mails.',
  },
);

export const mail = Type.Object(
  {
    from: Type.String({
      pattern: `^(${addressPattern}|[^<>@,;:"()\\[\\]\\\\\\u0000-\\u001f\\u007f]{1,100} <${addressPattern}>)$`,
      maxLength: 440,
      title: 'a mail address, such as mq@lab.example or Lab <mq@lab.example>',
      description: 'Whose mail it is.',
    }),
    smtp: Type.Optional(smtp),
    sendmail: Type.Optional(absolutePath('A program that takes what sendmail takes; in place of smtp.')),
    domain: Type.Optional(
      Type.String({
        pattern: `^${hostPattern}$`,
        maxLength: 253,
        title: 'a domain, such as lab.example',
        description: 'A user without an address of their own has user@domain.',
      }),
    ),
    addresses: Type.Optional(
      Type.Record(Type.String(), address('The address of this user.'), {
        propertyNames: {
          type: 'string',
          pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$',
          maxLength: 200,
          title: 'a user’s name',
        },
        title: 'a mapping of addresses, such as { ana: ana@lab.example }',
        description: 'The addresses of users, where they are not user@domain.',
      }),
    ),
    first_after: Type.Optional(
      duration('When the first mail comes, from when the holder took the lock.', '4h'),
    ),
    every: Type.Optional(duration('When each further one comes.', '4h')),
    subject: Type.Optional(
      Type.String({
        pattern: printable,
        maxLength: 200,
        default: '{board} is still yours',
        title: 'text on one line',
        description: 'May hold {board} and {lab}.',
      }),
    ),
  },
  {
    ...closed,
    title: 'a mapping that begins with from',
    description: 'Mail to whoever holds a board for long.',
  },
);
