// Uploads: only what the server lacks, stopped by a refusal, ended when nothing moves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ImageSource, uploadMissing } from '../../src/client/upload.ts';
import { connectScripted } from './connect-scripted.ts';

function image(hash: string, content: string): ImageSource & { opened: number; taken: number } {
  const bytes = Buffer.from(content);
  const source = {
    hash,
    size: bytes.length,
    opened: 0,
    taken: 0,
    async *open() {
      source.opened += 1;
      for (let at = 0; at < bytes.length; at += 4) {
        source.taken += 1;
        yield bytes.subarray(at, at + 4);
      }
    },
  };
  return source;
}

test('only images that the server lacks are sent, and progress counts them all', async () => {
  const { server, client } = await connectScripted();
  server.images.set('aa', Buffer.from('here'));
  const [known, first, second] = [image('aa', 'here'), image('bb', '12345678'), image('cc', 'xyz')];
  const progress: string[] = [];
  await uploadMissing(client, [known, first, second], {
    onProgress: ({ sentBytes, totalBytes }) => progress.push(`${sentBytes}/${totalBytes}`),
  });
  assert.equal(known.opened, 0);
  assert.equal(server.images.get('bb')?.toString(), '12345678');
  assert.equal(server.images.get('cc')?.toString(), 'xyz');
  assert.deepEqual(progress, ['4/11', '8/11', '11/11']);
});

test('an empty image is sent too, and no image asks nothing', async () => {
  const { server, client } = await connectScripted();
  await uploadMissing(client, []);
  assert.deepEqual(server.trace, []);
  await uploadMissing(client, [image('ee', '')]);
  assert.equal(server.images.get('ee')?.length, 0);
});

test('a refusal ends the upload with its code, and the rest is not read', async () => {
  const { server, client } = await connectScripted();
  server.refuseWith = { op: 'put-image', code: 'TOO_LARGE', times: 1 };
  const large = image('aa', 'x'.repeat(4000));
  await assert.rejects(uploadMissing(client, [large]), { code: 'TOO_LARGE' });
  assert.ok(large.taken < 50, `${large.taken} pieces read`);
});

test('a server that never answers to a whole upload is given up after a minute', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('put-image');
  await assert.rejects(uploadMissing(client, [image('aa', 'abc')]), /no byte of an upload in 60 s/);
  assert.equal(server.timers.pending, 0);
});

test('an abort ends the upload', async () => {
  const { server, client } = await connectScripted();
  server.silent.add('put-image');
  const abort = new AbortController();
  const sending = uploadMissing(client, [image('aa', 'abc')], { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(sending, /enough/);
});
