// Mails to holders, sent to a real receiver at the times of a clock that the test moves.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { MailConfig } from '../../../src/protocol/mail-config.ts';
import type { HeldLock } from '../../../src/server/mail/held-locks.ts';
import { HolderMails } from '../../../src/server/mail/holder-mails.ts';
import { CollectingLogger } from '../../../src/testing/collecting-logger.ts';
import { SimulatedClock } from '../../../src/testing/simulated-clock.ts';
import { Receiver, readMail } from './receiver.ts';

const timeout = 60_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'mails-'));
  readonly clock = new SimulatedClock();
  readonly logger = new CollectingLogger();
  readonly locks = new Map<string, HeldLock>();
  mail: MailConfig | undefined;
  mails: HolderMails;

  constructor(t: TestContext, route: MailConfig['route']) {
    this.mail = {
      from: 'Lab <mq@lab.example>',
      route,
      domain: 'lab.example',
      addresses: {},
      firstAfterSeconds: 4 * 60 * 60,
      everySeconds: 4 * 60 * 60,
      subject: '{board} is still yours',
    };
    this.mails = this.start();
    t.after(async () => {
      await this.mails.stop();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  start(): HolderMails {
    const mails = new HolderMails({
      config: () => ({ lab: 'Example', mail: this.mail }),
      readLocks: async () => [...this.locks.values()],
      now: () => this.clock.nowMs(),
      clock: this.clock,
      path: join(this.folder, 'mails.json'),
      logger: this.logger,
    });
    mails.start();
    return mails;
  }

  async restart(): Promise<void> {
    await this.mails.stop();
    this.mails = this.start();
  }

  hold(board: string, more: Partial<HeldLock> = {}): void {
    const { board: _board, ...held } = { board, ...heldLock(this.clock) };
    this.locks.set(board, { board, ...held, ...more });
  }

  /** Minute by minute, each with its look. */
  async pass(spanMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < spanMs; passedMs += minuteMs) {
      this.clock.advance(minuteMs);
      await this.mails.settled;
    }
  }

  warnings(): string[] {
    return this.logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
  }
}

function heldLock(clock: SimulatedClock): Omit<HeldLock, 'board'> {
  return {
    token: '1.7',
    user: 'ana',
    key: '0',
    note: '',
    claimedAt: clock.nowMs(),
    heldWallAt: clock.wallMs(),
    waiting: 0,
  };
}

const smtp = (port: number, more: Partial<Extract<MailConfig['route'], { kind: 'smtp' }>> = {}) =>
  ({ kind: 'smtp', host: '127.0.0.1', port, tls: 'none', ...more }) as const;

test('the holder is mailed after four hours and every four hours after, and not before', {
  timeout,
}, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  place.hold('sabre', { key: 'build-17', note: 'boot hang', waiting: 2 });
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 0);
  await place.pass(minuteMs);
  const [mail] = receiver.mails;
  assert.ok(mail);
  assert.equal(mail.from, 'mq@lab.example');
  assert.deepEqual(mail.to, ['ana@lab.example']);
  assert.equal(mail.headers.get('subject'), 'sabre is still yours');
  assert.equal(mail.headers.get('from'), 'Lab <mq@lab.example>');
  assert.equal(mail.headers.get('auto-submitted'), 'auto-generated');
  assert.match(
    mail.text,
    /^You hold sabre of Example since \d\d:\d\d|^You hold sabre of Example since \w+ \d+ /,
  );
  for (const line of [
    'Key:   build-17',
    'Note:  boot hang',
    'Requests that wait for it: 2.',
    '    mq unlock sabre --key build-17',
    '    mq extend sabre --key build-17 --hold 0',
    'If neither is done, the next mail comes in 4 hours.',
  ]) {
    assert.ok(mail.text.split('\n').includes(line), `${line} in ${mail.text}`);
  }
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 1);
  await place.pass(minuteMs);
  assert.equal(receiver.mails.length, 2);
  assert.notEqual(receiver.mails[1]?.headers.get('message-id'), mail.headers.get('message-id'));
});

test('another holder and an extension begin the count anew; a lock that is gone has no more mails', {
  timeout,
}, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  place.hold('sabre');
  await place.pass(5 * hourMs);
  // Given to bob: a new token, claimed now.
  place.hold('sabre', { user: 'bob', token: '1.8' });
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 1);
  // Extended a minute before the mail.
  place.hold('sabre', { user: 'bob', token: '1.8' });
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 1);
  await place.pass(minuteMs);
  assert.deepEqual(receiver.mails[1]?.to, ['bob@lab.example']);
  // Extended after a mail.
  place.hold('sabre', { user: 'bob', token: '1.8' });
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 2);
  await place.pass(minuteMs);
  assert.equal(receiver.mails.length, 3);
  place.locks.clear();
  await place.pass(9 * hourMs);
  assert.equal(receiver.mails.length, 3);
});

test('a restart neither repeats nor forgets a mail', { timeout }, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  place.hold('sabre');
  await place.pass(4 * hourMs);
  await place.restart();
  await place.pass(4 * hourMs - minuteMs);
  assert.equal(receiver.mails.length, 1);
  await place.restart();
  await place.pass(minuteMs);
  assert.equal(receiver.mails.length, 2);
});

test('a mail whose note a crash has lost comes again under the same Message-ID', { timeout }, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  place.hold('sabre');
  await place.pass(4 * hourMs);
  rmSync(join(place.folder, 'mails.json'));
  await place.restart();
  await place.pass(minuteMs);
  const ids = receiver.mails.map(({ headers }) => headers.get('message-id'));
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
  assert.match(ids[0] ?? '', /^<mq\.1\.7\.\d+\.1@lab\.example>$/);
});

test('a mail server that is down is asked less and less, and takes one mail a holder when it is back', {
  timeout,
}, async (t) => {
  const port = await freePort(t);
  const place = new Place(t, smtp(port));
  place.hold('sabre');
  place.hold('zcu102', { token: '1.9', user: 'bob' });
  await place.pass(9 * hourMs);
  const tries = place.warnings().length;
  // After 1, 2, 4, 8, 16, 32 minutes, then hourly; not once a minute for five hours.
  assert.ok(tries >= 9 && tries <= 11, `${tries} tries`);
  const receiver = new Receiver();
  await receiver.listen(t, port);
  await place.pass(hourMs);
  assert.deepEqual(receiver.mails.map(({ to }) => to[0]).sort(), ['ana@lab.example', 'bob@lab.example']);
  await place.pass(2 * hourMs);
  assert.equal(receiver.mails.length, 4, 'the third of each in its time');
});

test('an address that is refused is said once, and does not hold up the others', { timeout }, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  receiver.refused.set('ana@lab.example', 550);
  receiver.refused.set('eve@lab.example', 450);
  place.hold('sabre');
  place.hold('tx2', { token: '1.8', user: 'eve' });
  place.hold('zcu102', { token: '1.9', user: 'bob' });
  place.hold('pc1', { token: '1.10', user: 'no such@user' });
  await place.pass(4 * hourMs + 5 * minuteMs);
  assert.deepEqual(
    receiver.mails.map(({ to }) => to),
    [['bob@lab.example']],
  );
  assert.deepEqual(place.warnings().sort(), [
    'a holder has no mail address',
    'a mail was not taken',
    'a mail was not taken',
  ]);
  receiver.refused.clear();
  await place.pass(minuteMs);
  assert.deepEqual(receiver.mails[1]?.to, ['eve@lab.example'], 'it was refused for the time being only');
  assert.equal(receiver.mails.length, 2);
  await place.pass(4 * hourMs);
  assert.ok(
    receiver.mails.some(({ to }) => to[0] === 'ana@lab.example'),
    'with the next mail it is tried again',
  );
});

test('no key, note or name gets into a header or forges a line', { timeout }, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  const evil =
    "x\r\nBcc: eve@evil.example\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>\n\u202e\u0000\ud800'; rm -rf /";
  place.mail = { ...(place.mail as MailConfig), addresses: { 'a\r\nBcc: b@c': 'ana@lab.example' } };
  place.hold('sabre', { key: evil, note: `${evil}☃`, user: 'a\r\nBcc: b@c' });
  place.hold('tx2', { key: "it's", token: '1.8', user: 'bob\r\nTo: eve@evil.example' });
  place.hold('pc1', { key: "it's", token: '1.9', user: 'bob' });
  await place.pass(4 * hourMs);
  const [mail, second] = receiver.mails;
  assert.ok(mail && second);
  assert.equal(receiver.mails.length, 2, 'a name that is no mailbox has no address');
  assert.deepEqual([mail.to, second.to], [['ana@lab.example'], ['bob@lab.example']]);
  assert.equal(mail.headers.has('bcc'), false);
  assert.deepEqual(
    [...mail.headers.keys()].sort(),
    [...second.headers.keys(), ...added(mail, second)].sort(),
  );
  const lines = mail.text.split('\n');
  assert.ok(
    lines.includes(
      "Key:   x\\u000d\\u000aBcc: eve@evil.example\\u000d\\u000a\\u000d\\u000a.\\u000d\\u000aMAIL FROM:<eve@evil.example>\\u000a\\u202e\\u0000\\ud800'; rm -rf /",
    ),
    mail.text,
  );
  assert.ok(lines.some((line) => line.startsWith('Note: ') && line.endsWith('☃')));
  assert.ok(lines.includes('    mq unlock sabre --key KEY'));
  assert.ok(second.text.includes("mq unlock pc1 --key 'it'\\''s'"));
});

const added = (
  one: { headers: ReadonlyMap<string, string> },
  other: { headers: ReadonlyMap<string, string> },
) => ['content-transfer-encoding'].filter((name) => one.headers.has(name) && !other.headers.has(name));

test('it logs in with the password of a file, read each time, and never says it', { timeout }, async (t) => {
  const receiver = new Receiver();
  const port = await receiver.listen(t);
  const place = new Place(t, smtp(port));
  const file = join(place.folder, 'password');
  place.mail = {
    ...(place.mail as MailConfig),
    route: smtp(port, { login: { user: 'lab', password: { file } } }),
  };
  place.hold('sabre');
  await place.pass(4 * hourMs);
  assert.equal(receiver.attempts, 0);
  assert.match(JSON.stringify(place.logger.lines), /the secret's file can't be read: ENOENT/);
  writeFileSync(file, 'correct horse\n');
  await place.pass(minuteMs);
  assert.deepEqual(receiver.logins, [{ user: 'lab', password: 'correct horse' }]);
  assert.equal(receiver.mails.length, 1);
  assert.doesNotMatch(JSON.stringify(place.logger.lines), /correct horse/);
});

test('where encryption is wanted and not offered, nothing is sent, the password least of all', {
  timeout,
}, async (t) => {
  const receiver = new Receiver();
  const port = await receiver.listen(t);
  const place = new Place(t, smtp(port));
  const file = join(place.folder, 'password');
  writeFileSync(file, 'correct horse');
  place.mail = {
    ...(place.mail as MailConfig),
    route: smtp(port, { tls: 'starttls', login: { user: 'lab', password: { file } } }),
  };
  place.hold('sabre');
  await place.pass(4 * hourMs);
  assert.deepEqual([receiver.logins, receiver.mails], [[], []]);
  assert.deepEqual(place.warnings(), ['no mail gets through now']);
});

test('a program in place of sendmail gets the mail and the addresses as its words', {
  timeout,
}, async (t) => {
  const place = new Place(t, { kind: 'sendmail', path: '/nowhere' });
  const path = join(place.folder, 'sendmail');
  place.hold('sabre');
  await place.pass(4 * hourMs);
  assert.deepEqual(place.warnings(), ['no mail gets through now']);
  writeFileSync(path, '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.words"\ncat > "$0.mail"\n');
  chmodSync(path, 0o755);
  place.mail = { ...(place.mail as MailConfig), route: { kind: 'sendmail', path } };
  await place.pass(minuteMs);
  assert.equal(readFileSync(`${path}.words`, 'utf8'), '-i\n-f\nmq@lab.example\n--\nana@lab.example\n');
  const { headers, text } = readMail(readFileSync(`${path}.mail`, 'latin1'));
  assert.equal(headers.get('subject'), 'sabre is still yours');
  assert.match(text, /mq unlock sabre\n/);
  await place.pass(4 * hourMs - 2 * minuteMs);
  writeFileSync(path, '#!/bin/sh\necho "no such user" >&2\nexit 67\n');
  await place.pass(10 * minuteMs);
  assert.deepEqual(place.warnings(), ['no mail gets through now', 'a mail was not taken']);
});

test('a program that hangs is ended when the server leaves', { timeout }, async (t) => {
  const place = new Place(t, { kind: 'sendmail', path: '/nowhere' });
  const path = join(place.folder, 'sendmail');
  writeFileSync(path, '#!/bin/sh\necho $$ > "$0.pid.new"; mv "$0.pid.new" "$0.pid"\nexec sleep 1000\n');
  chmodSync(path, 0o755);
  place.mail = { ...(place.mail as MailConfig), route: { kind: 'sendmail', path } };
  place.hold('sabre');
  place.clock.advance(4 * hourMs);
  while (!existsSync(`${path}.pid`)) await new Promise((resolve) => setImmediate(resolve));
  await place.mails.stop();
  const pid = Number(readFileSync(`${path}.pid`, 'utf8'));
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('a server that leaves does not wait for a mail server that hangs', { timeout }, async (t) => {
  const receiver = new Receiver();
  receiver.hangs = true;
  const place = new Place(t, smtp(await receiver.listen(t)));
  place.hold('sabre');
  place.clock.advance(4 * hourMs);
  while (receiver.attempts === 0) await new Promise((resolve) => setImmediate(resolve));
  await place.mails.stop();
  assert.equal(place.clock.timerCount, 0);
  assert.equal(existsSync(join(place.folder, 'mails.json')), false);
});

test('without mail in the configuration nothing is sent or noted, and with it from then on', {
  timeout,
}, async (t) => {
  const receiver = new Receiver();
  const place = new Place(t, smtp(await receiver.listen(t)));
  const { mail } = place;
  place.mail = undefined;
  place.hold('sabre');
  await place.pass(13 * hourMs);
  assert.equal(receiver.attempts, 0);
  place.mail = mail;
  await place.pass(minuteMs);
  assert.equal(receiver.mails.length, 1, 'one, not three');
});

/** One that nobody listens at. */
async function freePort(t: TestContext): Promise<number> {
  const receiver = new Receiver();
  const port = await receiver.listen(t);
  await receiver.close();
  return port;
}
