// Images: sent once, checked, shared; their transfer outlives a broken connection.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileRef } from '../../src/protocol/schema.ts';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };

function imageOf(lab: TestLab, job: number, board = 'pc1'): Promise<Buffer> {
  const file = lab.board(board).sessions.at(-1)?.job.files[0];
  assert.ok(file, `job ${job} has a file`);
  return readFile(file.path);
}

test('an image is sent once, for all jobs and boards, and for the next agent', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect({ names: ['pc1', 'pc2'], holdsImages: true });
  const bytes = randomBytes(300_000);
  const image = lab.store.addImage('kernel', bytes);
  server.send(start({ spec: { files: [image] } }));
  server.send(start({ job: 2, board: 'pc2', spec: { files: [image, { ...image, name: 'again' }] } }));
  const needed = await server.message('need-image');
  await lab.board('pc2').sees('is off');
  await server.settled();
  server.sendImage(needed);
  await lab.board('pc1').sees('started');
  await lab.board('pc2').sees('started');
  assert.deepEqual(await imageOf(lab, 1), bytes);
  assert.deepEqual(
    lab.board('pc2').session.job.files.map(({ name }) => name),
    ['kernel', 'again'],
  );
  await lab.agent.stop('the agent was stopped');
  await lab.startAgent();
  const next = await lab.connect();
  await lab.run(next, { job: 3, token: '1.3', spec: { files: [image] } });
  assert.deepEqual(await imageOf(lab, 3), bytes);
  assert.equal(server.all('need-image').length + next.all('need-image').length, 1);
});

test('a transfer that a broken connection cut begins anew on the next one', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect({ holdsImages: true });
  const bytes = randomBytes(200_000);
  const image = lab.store.addImage('kernel', bytes);
  first.send(start({ spec: { files: [image] } }));
  const { transfer, hash } = await first.message('need-image');
  first.send({ type: 'image-size', transfer, hash, size: bytes.length });
  first.sendBytes(transfer, 0, bytes.subarray(0, 100_000));
  await first.settled();
  await first.cut();
  const second = await lab.connect({ holdsImages: true });
  const again = await second.message('need-image');
  assert.notEqual(again.transfer, transfer);
  // Bytes of the old transfer belong to nothing any more.
  second.sendBytes(transfer, 100_000, bytes.subarray(100_000));
  second.sendImage(again);
  await lab.board().sees('started');
  assert.deepEqual(await imageOf(lab, 1), bytes);
});

test('all files of a job come under their own names, also two of one name', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect();
  const add = (name: string, text: string): FileRef => lab.store.addImage(name, Buffer.from(text));
  await lab.run(server, {
    spec: {
      files: [add('a/kernel', 'one'), add('b/kernel', 'two'), add('..', 'three'), add('empty', '')],
      dtb: add('x.dtb', 'tree'),
      bitstream: add('fpga.bit', 'bits'),
    },
  });
  const { job } = lab.board().session;
  const read = async (path: string | undefined) => (path ? await readFile(path, 'utf8') : undefined);
  assert.deepEqual(await Promise.all(job.files.map(({ path }) => read(path))), ['one', 'two', 'three', '']);
  assert.ok(job.files.every(({ path }) => path.startsWith(join(lab.folder, 'work', '1'))));
  assert.equal(await read(job.dtbPath), 'tree');
  assert.equal(await read(job.bitstreamPath), 'bits');
});

test('bytes that are not the image are not kept, and the job is told why', options, async (t) => {
  const lab = await TestLab.open(t);
  const server = await lab.connect({ holdsImages: true });
  const image = lab.store.addImage('kernel', Buffer.from('right'));
  server.send(start({ spec: { files: [image] } }));
  const { transfer, hash } = await server.message('need-image');
  server.send({ type: 'image-size', transfer, hash, size: 5 });
  server.sendBytes(transfer, 0, Buffer.from('wrong'));
  const { result } = await server.ended(1);
  assert.equal(result.verdict, 'lab-fault');
  assert.match(result.detail, /has the sum/);
  assert.ok(!lab.board().events.includes('start'));
  server.send(start({ job: 2, token: '1.2', spec: { files: [image] } }));
  server.sendImage(await server.message('need-image', (one) => one.transfer !== transfer));
  await lab.board().sees('started');
  assert.equal((await imageOf(lab, 2)).toString(), 'right');
});

test(
  'an image that the server does not have, that comes in a wrong place or is too large ends its job',
  options,
  async (t) => {
    const lab = await TestLab.open(t, { imageCacheBytesMax: 1_000 });
    const server = await lab.connect({ holdsImages: true });
    const expectFault = async (
      job: number,
      text: RegExp,
      answer: (transfer: number, hash: string) => void,
    ) => {
      const image = lab.store.addImage('kernel', randomBytes(50));
      server.send(start({ job, token: `1.${job}`, spec: { files: [image] } }));
      const { transfer, hash } = await server.message('need-image', (one) => one.hash === image.hash);
      answer(transfer, hash);
      const { result } = await server.ended(job);
      assert.equal(result.verdict, 'lab-fault');
      assert.match(result.detail, text);
    };
    await expectFault(1, /expired/, (transfer, hash) => {
      server.send({ type: 'image-missing', transfer, hash, why: 'expired' });
    });
    await expectFault(2, /do not belong/, (transfer, hash) => {
      server.send({ type: 'image-size', transfer, hash, size: 50 });
      server.sendBytes(transfer, 1, randomBytes(10));
    });
    await expectFault(3, /1000 at most/, (transfer, hash) => {
      server.send({ type: 'image-size', transfer, hash, size: 1_001 });
    });
    await expectFault(4, /before its size/, (transfer) => server.sendBytes(transfer, 0, randomBytes(10)));
  },
);

test('the images longest unused go when there are too many; jobs keep what they have', options, async (t) => {
  const lab = await TestLab.open(t, { imageCacheBytesMax: 25_000 });
  const server = await lab.connect();
  const images = [1, 2, 3].map((number) => lab.store.addImage(`image ${number}`, randomBytes(10_000)));
  const [first, , third] = images as [FileRef, FileRef, FileRef];
  for (const [index, image] of images.entries()) {
    await lab.run(server, { job: index + 1, token: `1.${index + 1}`, spec: { files: [image] } });
  }
  await server.settled();
  const kept = async () => (await readdir(join(lab.folder, 'images'))).sort();
  await server.ended(2);
  assert.ok((await kept()).length <= 2);
  assert.ok((await kept()).includes(third.hash));
  await lab.run(server, { job: 4, token: '1.4', spec: { files: [first] } });
  assert.equal((await imageOf(lab, 4)).length, 10_000);
  assert.equal(server.all('need-image').length, 4);
});

test('an image that was torn on the disk is fetched again', options, async (t) => {
  const lab = await TestLab.open(t);
  const first = await lab.connect();
  const image = lab.store.addImage('kernel', Buffer.from('as it should be'));
  await lab.run(first, { spec: { files: [image] } });
  await lab.agent.stop('the agent was stopped');
  const path = join(lab.folder, 'images', image.hash);
  await rm(path);
  await writeFile(path, 'as it');
  await lab.startAgent();
  const second = await lab.connect();
  await lab.run(second, { job: 2, token: '1.2', spec: { files: [image] } });
  assert.equal((await imageOf(lab, 2)).toString(), 'as it should be');
  assert.equal(second.all('need-image').length, 1);
});
