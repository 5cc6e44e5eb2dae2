// `mail` in a lab's file: what it becomes, and what is said of it where it is wrong.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig, parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';
import { addressOf } from '../../src/protocol/mail-config.ts';

const withMail = (mail: string) =>
  parseConfig(`lab: L\nboards: { b: { machine: { driver: v86 } } }\nmail: { ${mail} }\n`, 'lab.yaml');

function said(mail: string): string[] {
  const result = withMail(mail);
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}

function parsed(mail: string) {
  const result = withMail(mail);
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.warnings, []);
  return result.config.mail;
}

test('mail arrives with its defaults, and the port that goes with the encryption', () => {
  assert.deepEqual(parsed('from: mq@lab.example, domain: lab.example, smtp: { host: mail }'), {
    from: 'mq@lab.example',
    route: { kind: 'smtp', host: 'mail', port: 587, tls: 'starttls' },
    domain: 'lab.example',
    addresses: {},
    firstAfterSeconds: 14_400,
    everySeconds: 14_400,
    subject: '{board} is still yours',
  });
  const port = (smtp: string) => {
    const route = parsed(`from: mq@x.example, domain: x.example, smtp: { host: localhost, ${smtp} }`)?.route;
    return route?.kind === 'smtp' ? route.port : undefined;
  };
  assert.deepEqual(
    [port('tls: implicit'), port('tls: none'), port('tls: none, port: 2525')],
    [465, 25, 2525],
  );
});

test('mail arrives with all of its keys', () => {
  const login = 'user: lab, password: { env: MAIL_PASSWORD }';
  const times = 'first_after: 1h, every: 30m, subject: "{lab}: {board}"';
  assert.deepEqual(
    parsed(
      `from: Lab <mq@x.example>, addresses: { ana: ana.b@y.example }, ${times}, smtp: { host: "::1", ${login} }`,
    ),
    {
      from: 'Lab <mq@x.example>',
      route: {
        kind: 'smtp',
        host: '::1',
        port: 587,
        tls: 'starttls',
        login: { user: 'lab', password: { env: 'MAIL_PASSWORD' } },
      },
      addresses: { ana: 'ana.b@y.example' },
      firstAfterSeconds: 3_600,
      everySeconds: 1_800,
      subject: '{lab}: {board}',
    },
  );
  const route = parsed('from: mq@x.example, domain: x.example, sendmail: /usr/sbin/sendmail')?.route;
  assert.deepEqual(route, { kind: 'sendmail', path: '/usr/sbin/sendmail' });
});

const base = 'from: mq@x.example, domain: x.example';

/** `at`: where the problem stands, as the words that begin there. */
const wrong: [mail: string, at: string, message: string][] = [
  [base, 'mail:', 'mail has no way out. Write smtp: { host: … } or sendmail: /usr/sbin/sendmail'],
  [`${base}, smtp: { host: m }, sendmail: /bin/s`, 'sendmail:', 'mail has both smtp and sendmail. Keep one'],
  [
    'from: mq@x.example, sendmail: /bin/s',
    'mail:',
    'mail knows no address. Write domain: lab.example, or addresses: { ana: ana@lab.example }',
  ],
  [
    `${base}, smtp: { host: m, user: u }`,
    'user:',
    'smtp of mail has user and no password. Write both, or none',
  ],
  [
    `${base}, smtp: { host: m, user: u, password: secret }`,
    'secret',
    "password of smtp of mail must be { file: PATH } or { env: NAME }, not 'secret'",
  ],
  [
    'from: "mq@x.example, eve@x.example", domain: x.example, sendmail: /bin/s',
    '"mq@',
    "from of mail must be a mail address, such as mq@lab.example or Lab <mq@lab.example>, not 'mq@x.example, eve@x.example'",
  ],
  [
    'from: "mq@x.example\\nBcc: a@b", domain: x.example, sendmail: /bin/s',
    '"mq@',
    "from of mail must be a mail address, such as mq@lab.example or Lab <mq@lab.example>, not 'mq@x.example\nBcc: a@b'",
  ],
  [
    `${base}, sendmail: /bin/s, addresses: { ana: "a@b, c@d" }`,
    '"a@b',
    "ana of addresses of mail must be a mail address, such as ana@lab.example, not 'a@b, c@d'",
  ],
  ['domain: x.example, sendmail: /bin/s', 'mail:', "missing key 'from' in mail"],
  [`${base}, sendmail: /bin/s, evry: 4h`, 'evry:', "unknown key 'evry' in mail. Did you mean 'every'?"],
];

const placed = (mail: string, at: string, message: string) =>
  `lab.yaml:3:${`mail: { ${mail} }`.indexOf(at) + 1}: ${message}`;

test('what is wrong is said with its place and what to write', () => {
  for (const [mail, at, message] of wrong) assert.deepEqual(said(mail), [placed(mail, at, message)]);
});

test('a password that would cross the network in the open is a warning; on this host it is none', () => {
  const login = 'user: u, password: { file: /p }, tls: none';
  const open = `${base}, smtp: { host: mail, ${login} }`;
  const message = 'the password of smtp crosses the network for all to read, with tls: none';
  assert.deepEqual(said(open), [placed(open, 'tls:', message)]);
  assert.deepEqual(said(`${base}, smtp: { host: localhost, ${login} }`), []);
});

test('a user has the address that is written, else that of the domain, and none where the name is no mailbox', () => {
  const mail = { domain: 'x.example', addresses: { ana: 'a@y.example', 'DOM\\\\eve': 'eve@y.example' } };
  assert.equal(addressOf(mail, 'ana'), 'a@y.example');
  assert.equal(addressOf(mail, 'bob.b'), 'bob.b@x.example');
  assert.equal(addressOf(mail, 'DOM\\\\eve'), 'eve@y.example');
  for (const user of [
    'DOM\\\\bob',
    'a b',
    'a\r\nBcc: b',
    '-oQtmp',
    'a@b',
    '',
    'constructor()',
    'x'.repeat(65),
  ]) {
    assert.equal(addressOf(mail, user), undefined, user);
  }
  assert.equal(addressOf({ addresses: {} }, 'bob'), undefined);
  assert.equal(addressOf({ addresses: {} }, 'toString'), undefined);
});

test('a password that is not where the file says is found by check-config, and not by the server that starts', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mail-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'lab.yaml');
  const mail = `${base}, smtp: { host: m, user: u, password: { env: MQ_TEST_NO_SECRET } }`;
  writeFileSync(path, `lab: L\nboards: { b: { machine: { driver: v86 } } }\nmail: { ${mail} }\n`);
  const result = await loadConfig(path, { looksAround: true });
  assert.ok(!result.ok);
  assert.deepEqual(
    result.problems.map(({ message }) => message),
    [
      'there is no secret for password of smtp of mail: the environment variable MQ_TEST_NO_SECRET is not set',
    ],
  );
  assert.ok((await loadConfig(path)).ok);
});
