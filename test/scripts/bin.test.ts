// bin/mq and bin/mq.sh, called in every way in which people link to them.

import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FreshCheckout } from './fresh-checkout.ts';

function builtCheckout(t: TestContext): FreshCheckout {
  const checkout = new FreshCheckout(t);
  mkdirSync(join(checkout.folder, 'dist'));
  mkdirSync(join(checkout.folder, '.node'));
  // Two folders deep, so that the folder of a link is no way to the checkout.
  mkdirSync(join(checkout.folder, 'some/links'), { recursive: true });
  writeFileSync(join(checkout.folder, 'dist/package.json'), '{ "type": "module" }');
  writeFileSync(
    join(checkout.folder, 'dist/mq.js'),
    'console.log(process.env.MQ_ARGV0, JSON.stringify(process.argv.slice(2)));',
  );
  symlinkSync(process.execPath, join(checkout.folder, '.node/node'));
  return checkout;
}

test('it passes on its name and its arguments, whatever is in them', async (t) => {
  const checkout = builtCheckout(t);
  const args = ['sem', '-wait', 'a b', '', "quote'", '"', '$HOME', '*', '-k', 'x\ny'];
  for (const name of ['mq', 'mq.sh']) {
    const { stdout, stderr } = await checkout.run(join(checkout.folder, 'bin', name), args);
    assert.equal(stdout, `${name} ${JSON.stringify(args)}\n`, stderr);
  }
});

test('it finds its checkout through links: absolute, relative, link to a link, from any folder', async (t) => {
  const checkout = builtCheckout(t);
  const links = join(checkout.folder, 'some/links');
  symlinkSync(join(checkout.folder, 'bin/mq'), join(links, 'mq'));
  symlinkSync('../../bin/mq.sh', join(links, 'mq.sh'));
  symlinkSync('mq.sh', join(links, 'old'));
  assert.equal((await checkout.run('./mq', [], 'some/links')).stdout, 'mq []\n');
  assert.equal((await checkout.run('./mq.sh', [], 'some/links')).stdout, 'mq.sh []\n');
  assert.equal((await checkout.run('some/links/old')).stdout, 'old []\n');
  assert.equal((await checkout.run('sh', ['mq'], 'bin')).stdout, 'mq []\n');
  assert.equal((await checkout.run('sh', ['old'], 'some/links')).stdout, 'old []\n');
});

test('where the checkout has chosen no Node, the one on PATH is used', async (t) => {
  const checkout = builtCheckout(t);
  checkout.addCommand('node', 'echo "node of PATH: $*"');
  const { stdout } = await checkout.run('sh', ['-c', 'rm .node/node; bin/mq x']);
  assert.match(stdout, /^node of PATH: --no-warnings .*\/dist\/mq\.js x\n$/);
});

test('without a build it says what to do, and exits 1', async (t) => {
  const checkout = new FreshCheckout(t);
  const { exitCode, stdout, stderr } = await checkout.run(join(checkout.folder, 'bin/mq'), ['status']);
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /not built yet.*npm run build/);
});

test('it starts no process of its own where there is no link on the way', async (t) => {
  const checkout = builtCheckout(t);
  const tools = ['cat', 'readlink', 'dirname', 'env', 'sed'];
  for (const name of tools) checkout.addCommand(name, `echo forked ${name}`);
  assert.equal((await checkout.run(join(checkout.folder, 'bin/mq'))).stdout, 'mq []\n');
});
