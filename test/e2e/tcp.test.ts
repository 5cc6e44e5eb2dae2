// The words through the TCP socket, plain and with TLS: real servers, and lines that break on the way.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { makeImage } from '../../src/testing/images/make-image.ts';
import { makeCertificate, noOpenssl } from '../http/certificates.ts';
import { type CommandOptions, Lab } from './harness/lab.ts';

const pc = { machine: { driver: 'v86' } };
const quiet = { exit: 0, stdout: '' };
const token = 'e2e-token-0123456789abcdef';

for (const scheme of ['http', 'https'] as const) {
  const skip = scheme === 'https' && noOpenssl;
  describe(`through ${scheme}://`, { skip }, async () => {
    if (skip !== false) return;
    const lab = await Lab.make({ after });
    const tokenFile = await lab.file('token', `${token}\n`, 0o600);
    const tls = scheme === 'https' ? makeCertificate(lab.folder) : undefined;
    const script = await lab.scriptBoard('script');
    const boards = { one: pc, two: pc, script: { machine: script.machine } };
    const listen = { tcp: '127.0.0.1:0', token: { file: tokenFile }, ...(tls ? { tls } : {}) };
    await lab.configure({ boards, pools: { pair: ['one', 'two'] }, listen });
    await lab.startServer();
    const line = await Line.start(Number(/"tcp":"127\.0\.0\.1:(\d+)"/.exec(lab.server.stderr)?.[1]));
    after(() => line.close());
    const url = `${scheme}://127.0.0.1:${line.port}`;
    const remote = (options: CommandOptions = {}): CommandOptions => ({
      ...options,
      env: {
        MQ_SERVER: url,
        MQ_AUTH_TOKEN_FILE: tokenFile,
        ...(tls ? { NODE_EXTRA_CA_CERTS: tls.cert } : {}),
        ...options.env,
      },
    });

    test('locks, pools and lists, as the admin, over one connection for a command', async () => {
      const before = line.count;
      const stdout = 'Attempting system one in pool pair\none\n';
      await lab.expect(['sem', '-wait', 'pair', '-k', 'x'], { exit: 0, stdout }, remote());
      assert.equal(line.count, before + 1);
      assert.equal(await lab.holder('one'), 'one LOCKED admin x');
      for (const words of [
        ['sem', '-info', 'pair'],
        ['sem', 'dumpall'],
        ['system-tsv'],
        ['lock', 'nosuch'],
      ]) {
        const here = await lab.run(words);
        const there = await lab.run(words, remote());
        assert.deepEqual([there.code, there.stdout, there.stderr], [here.code, here.stdout, here.stderr]);
      }
      await lab.expect(['sem', '-signal', 'one', '-k', 'x'], quiet, remote());
      assert.equal((await lab.run(['board', 'drain', 'two', '--note', 'x'], remote())).code, 0);
      assert.equal((await lab.run(['board', 'resume', 'two'], remote())).code, 0);
    });

    test('a job: console byte for byte, log file, exit codes, and its console again', async () => {
      const image = await lab.file('raw.elf', makeImage({ kind: 'raw' }));
      const log = join(lab.folder, 'open', 'log');
      const words = ['run', 'one', image, '--until', 'universe', '--log', log];
      const { code, bytes, stderr } = await lab.run(words, remote());
      assert.equal(code, 0, stderr);
      const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      assert.deepEqual(bytes.subarray(0, 256), all);
      assert.deepEqual((await readFile(log)).subarray(0, 256), all);
      const [job] = JSON.parse((await lab.run(['jobs', '--json'], remote())).stdout) as { id: number }[];
      const again = await lab.run(['logs', String(job?.id)], remote());
      assert.deepEqual(again.bytes.subarray(0, 256), all);
      assert.equal(
        (await lab.run(['run', 'one', image, '--until', 'never', '--timeout', '1s'], remote())).code,
        5,
      );
    });

    test('mq with: its command has the fencing token of the lock, and the lock ends with it', async () => {
      const { code, stdout } = await lab.run(
        ['with', 'one', '--', 'sh', '-c', 'echo $MQ_BOARD $MQ_TOKEN; exit 3'],
        remote(),
      );
      assert.equal(code, 3);
      assert.match(stdout, /^one \d+\.\d+\n$/);
      assert.equal(await lab.holder('one'), 'one FREE');
    });

    test('a line that drops costs no place, no job and no byte of its console', async () => {
      const go = join(lab.folder, 'go');
      const text = `echo first; until [ -e '${go}' ]; do sleep 0.05; done; echo last; exit 3\n`;
      const image = await lab.file('wait.sh', text);
      const job = lab.mq(['run', '-s', 'script', '-c', 'x', '-f', image], remote());
      await job.printed('first\n');
      const follower = lab.mq(['logs', '-f', String(await jobOn('script'))], remote());
      await follower.printed('first\n');
      await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
      const waiting = lab.mq(['sem', '-wait', 'one', '-k', 'drop'], remote());
      await lab.untilWaiting('drop');
      const before = line.count;
      line.drop();
      await lab.until('three commands are back', () => line.count >= before + 3);
      await lab.until('the ticket waits on', ({ queue }) => queue[0]?.state === 'waiting');
      await lab.file('go', '');
      const ended = await job.ended;
      assert.equal(ended.code, 3);
      assert.ok(ended.stdout.endsWith('we are allowed to run\nfirst\nlast\n'), ended.stdout);
      assert.equal((await follower.ended).stdout, 'first\nlast\n');
      await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
      assert.equal((await waiting.ended).code, 0);
      await lab.expect(['sem', '-signal', 'one', '-k', 'drop'], quiet, remote());
    });

    test('a server that is killed and comes back is waited for', async () => {
      await lab.expect(['sem', '-wait', 'one', '-k', 'h'], quiet);
      const waiting = lab.mq(['sem', '-wait', 'one', '-k', 'late'], remote());
      await lab.untilWaiting('late');
      await lab.killServer();
      await lab.startServer();
      line.target = Number(/"tcp":"127\.0\.0\.1:(\d+)"/.exec(lab.server.stderr)?.[1]);
      await lab.untilWaiting('late');
      await lab.expect(['sem', '-signal', 'one', '-k', 'h'], quiet);
      assert.equal((await waiting.ended).code, 0);
      await lab.expect(['sem', '-signal', 'one', '-k', 'late'], quiet, remote());
    });

    test('the token may be in the environment, or in the file that names the server', async () => {
      const env = { MQ_AUTH_TOKEN_FILE: undefined, MQ_AUTH_TOKEN: token };
      assert.equal((await lab.run(['status'], remote({ env }))).code, 0);
      const home = { MQ_AUTH_TOKEN_FILE: undefined, MQ_SERVER: undefined, XDG_CONFIG_HOME: lab.folder };
      await lab.file('machine-queue/config.yaml', `server: ${url}\ntoken_file: ${tokenFile}\n`);
      assert.equal((await lab.run(['status'], remote({ env: home }))).code, 0);
      // That file's token is for that file's server.
      const other = await lab.run(['status'], remote({ env: { ...home, MQ_SERVER: url } }));
      assert.deepEqual([other.code, /asks for a token/.test(other.stderr)], [2, true], other.stderr);
    });

    test('no token and a wrong one are told', async () => {
      const wrong = await lab.run(
        ['status'],
        remote({ env: { MQ_AUTH_TOKEN: 'wrong', MQ_AUTH_TOKEN_FILE: undefined } }),
      );
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /^mq: The token is not the one of this server/);
      const none = await lab.run(['status'], remote({ env: { MQ_AUTH_TOKEN_FILE: '/nonexistent' } }));
      assert.equal(none.code, 2);
      assert.match(none.stderr, /The token can't be read: ENOENT/);
    });

    if (tls) {
      test('http:// to a server with TLS is told as that', async () => {
        const env = { MQ_SERVER: url.replace('https', 'http') };
        const { code, stderr } = await lab.run(['status'], remote({ env }));
        assert.equal(code, 4);
        assert.match(stderr, /closed the connection without a word; https:\/\/ is the address/);
      });

      test('a server whose certificate nobody vouches for is refused, and gets no byte of the token', async () => {
        const strange = await lab.file('strange/made', '').then(dirname);
        const { cert, key } = makeCertificate(strange);
        const heard: Buffer[] = [];
        const server = createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
          socket.on('data', (chunk: Buffer) => heard.push(chunk));
          socket.on('error', () => undefined);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const { port } = server.address() as { port: number };
        const { code, stderr } = await lab.run(
          ['status'],
          remote({ env: { MQ_SERVER: `https://127.0.0.1:${port}` } }),
        );
        server.close();
        assert.equal(code, 4);
        assert.match(stderr, /self-signed certificate.*NODE_EXTRA_CA_CERTS=FILE/);
        assert.equal(Buffer.concat(heard).length, 0);
      });
    } else {
      test('a server that is not there is told, by the old words as they always did', async () => {
        const closed = await lab.run(['status'], remote({ env: { MQ_SERVER: `${scheme}://127.0.0.1:1` } }));
        assert.equal(closed.code, 4);
        assert.match(
          closed.stderr,
          /No mq server answers at http:\/\/127\.0\.0\.1:1 \(from MQ_SERVER\): nothing listens/,
        );
        const old = await lab.run(
          ['sem', '-info', 'one'],
          remote({ env: { MQ_SERVER: `${scheme}://127.0.0.1:1` } }),
        );
        assert.deepEqual([old.code, old.stdout], [1, 'Unable to ssh to 127.0.0.1\n']);
      });

      test('the token is not sent in plain text to another host unless that is wanted', async () => {
        const env = { MQ_SERVER: 'http://192.0.2.1:7411' };
        const { code, stderr } = await lab.run(['status'], remote({ env }));
        assert.deepEqual([code, /Write https:\/\/, or set MQ_INSECURE=yes/.test(stderr)], [2, true], stderr);
      });

      test('a server that would take the token in plain text from other hosts does not start', async () => {
        const bad = await Lab.make({ after });
        await bad.configure({ boards, listen: { ...listen, tcp: '0.0.0.0:0' } });
        const { code, stderr } = await bad.spawnServer().ended;
        assert.equal(code, 2);
        assert.match(stderr, /tcp of listen is '0\.0\.0\.0:0', which other hosts reach.*insecure: true/);
        await bad.configure({ boards, listen: { ...listen, tcp: '0.0.0.0:0', insecure: true } });
        await bad.startServer();
      });
    }

    async function jobOn(board: string): Promise<number | undefined> {
      const status = await lab.until('a job runs', ({ boards }) =>
        boards.some(({ job }) => job?.state === 'running'),
      );
      return status.boards.find((one) => one.board === board)?.job?.id;
    }
  });
}

/** A line between clients and the server that can be cut. */
class Line {
  target: number;
  count = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => {
    const far = connect(this.target, '127.0.0.1');
    this.count += 1;
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });

  private constructor(target: number) {
    this.target = target;
  }

  static start(target: number): Promise<Line> {
    const line = new Line(target);
    return new Promise((resolve) => line.#server.listen(0, '127.0.0.1', () => resolve(line)));
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.drop();
  }
}
