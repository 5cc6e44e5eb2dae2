// The channel over a byte stream: the request for it, messages right behind, refusals, pace.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { test } from 'node:test';
import { frameLink } from '../../src/cli/connect/frame-link.ts';
import type { DataPiece } from '../../src/client/link.ts';
import { encodeData, encodeJson } from '../../src/platform/frames.ts';
import type { ChannelMessage, ChannelRequest } from '../../src/protocol/channel.ts';

const granted = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: mq-channel\r\n\r\n';
const hello = { id: 1, op: 'hello', body: {} } as const satisfies ChannelRequest;

function linked() {
  const [near, far] = duplexPair();
  const messages: ChannelMessage[] = [];
  const data: DataPiece[] = [];
  const closed = Promise.withResolvers<Error | undefined>();
  const link = frameLink(near, {
    onMessage: (message) => messages.push(message),
    onData: (piece) => data.push({ ...piece, bytes: Buffer.from(piece.bytes) }),
    onClose: closed.resolve,
  });
  return { link, near, far, messages, data, closed: closed.promise };
}

async function readUntil(far: NodeJS.ReadableStream & { read(): unknown }, text: string): Promise<string> {
  let all = '';
  for (;;) {
    const chunk = far.read() as Buffer | null;
    if (chunk) all += chunk.toString('latin1');
    else await once(far, 'readable');
    if (all.includes(text)) return all;
  }
}

test('a message that is sent at once travels right behind the request for the channel', async () => {
  const { link, far } = linked();
  link.send(hello);
  const sent = await readUntil(far, '"hello"');
  assert.match(sent, /^GET \/v1\/channel HTTP\/1\.1\r\n(.+\r\n)*Upgrade: mq-channel\r\n\r\n/);
  assert.ok(sent.endsWith(encodeJson(hello).toString('latin1')));
});

test('the answer may be split anywhere: head, messages and data come whole', async () => {
  const event = { event: 'ping', nonce: 5 } as const;
  const piece = { streamId: 7, offset: 3, atMs: 9, bytes: Buffer.from('console') };
  const stream = Buffer.concat([Buffer.from(granted), encodeJson(event), ...encodeData(piece)]);
  for (const size of [1, 2, 7, 64, stream.length]) {
    const { near, far, messages, data } = linked();
    for (let at = 0; at < stream.length; at += size) far.write(stream.subarray(at, at + size));
    while (data.length === 0) await once(near, 'data');
    assert.deepEqual(messages, [event], `pieces of ${size}`);
    assert.deepEqual(
      data.map(({ streamId, offset, bytes }) => [streamId, offset, String(bytes)]),
      [[7, 3, 'console']],
    );
  }
});

for (const [answer, code, message] of [
  ['403 Forbidden\r\n\r\n', 'NOT_ALLOWED', /403/],
  ['404 Not Found\r\n\r\n', 'PROTOCOL_MISMATCH', /404.*another version/],
  ['503 Service Unavailable\r\n\r\n', 'TRY_AGAIN', /503/],
  [
    '403 Forbidden\r\n\r\n{"code":"NOT_ALLOWED","message":"Not in the group lab."}',
    'NOT_ALLOWED',
    /^Not in the group/,
  ],
  [
    '426 X\r\n\r\n{"error":{"code":"PROTOCOL_MISMATCH","message":"Use mq 2."}}',
    'PROTOCOL_MISMATCH',
    /^Use mq 2/,
  ],
] as const) {
  test(`a refusal (${answer.slice(0, 3)}) closes the link with ${code}`, async () => {
    const { far, closed } = linked();
    far.end(`HTTP/1.1 ${answer}`);
    const error = await closed;
    assert.ok(error && 'code' in error);
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

test('what is no mq server is told, be it short or endless', async () => {
  const short = linked();
  short.far.end('220 mail ready\r\n');
  assert.match((await short.closed)?.message ?? '', /not an mq server/);
  const endless = linked();
  endless.far.write(Buffer.alloc(100_000, 'x'));
  assert.match((await endless.closed)?.message ?? '', /not a channel/);
});

test('a server that closes without a word is no refusal', async () => {
  const { far, closed } = linked();
  far.end();
  assert.equal(await closed, undefined);
});

test('bytes that are no frame close the link', async () => {
  const { far, closed } = linked();
  far.write(Buffer.concat([Buffer.from(granted), Buffer.alloc(100, 0xff)]));
  assert.ok((await closed) instanceof Error);
});

test('a sender is held back until the other side reads, and let go when the link closes', async () => {
  const { link, far } = linked();
  far.write(granted);
  const piece = { streamId: 1, offset: 0, atMs: 0, bytes: Buffer.alloc(200_000) };
  let isThrough = false;
  const sending = link.sendData(piece).then(() => {
    isThrough = true;
  });
  await new Promise(setImmediate);
  assert.equal(isThrough, false);
  far.resume();
  await sending;
  far.pause();
  const second = link.sendData(piece);
  link.close();
  await second;
  await link.sendData(piece);
  link.send(hello);
});
