// The TCP socket in a lab's file: what it resolves to, and what is refused, each at its place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';

const boards = 'boards: { b: { machine: { driver: v86 } } }';
const token = 'token: { file: /t }';

function read(listen: string) {
  return parseConfig(`lab: L\n${boards}\nlisten: { ${listen} }\n`, 'lab.yaml');
}

function said(listen: string): string[] {
  const result = read(listen);
  return result.ok ? [] : result.problems.map(formatProblem);
}

test('address, token, user and certificate come out as the server takes them', () => {
  const resolved = (listen: string) => {
    const result = read(listen);
    assert.ok(result.ok, JSON.stringify(result));
    return result.config.listen;
  };
  assert.deepEqual(resolved(`tcp: "127.0.0.1:7411", ${token}`), {
    host: '127.0.0.1',
    port: 7411,
    token: { file: '/t' },
    user: 'admin',
  });
  assert.deepEqual(resolved('tcp: "[::]:1", token: { env: T }, user: bot, tls: { cert: /c, key: /k }'), {
    host: '::',
    port: 1,
    token: { env: 'T' },
    user: 'bot',
    tls: { certPath: '/c', keyPath: '/k' },
  });
});

test('without TLS only addresses of the host itself are accepted, unless the file takes the risk', () => {
  for (const tcp of ['127.0.0.1:1', '127.1.2.3:1', '[::1]:1', 'localhost:1'])
    assert.deepEqual(said(`tcp: "${tcp}", ${token}`), [], tcp);
  for (const tcp of [
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    'lab:1',
    '127.0.0.1.example.org:1',
    'localhost.x:1',
  ]) {
    assert.deepEqual(said(`tcp: "${tcp}", ${token}`), [
      `lab.yaml:3:16: tcp of listen is '${tcp}', which other hosts reach, and the token would cross the network in plain text. ` +
        'Write tls: { cert: PATH, key: PATH }, or an address such as 127.0.0.1; insecure: true takes the risk',
    ]);
    assert.deepEqual(said(`tcp: "${tcp}", ${token}, insecure: true`), []);
    assert.deepEqual(said(`tcp: "${tcp}", ${token}, tls: { cert: /c, key: /k }`), []);
  }
});

test('an address, a token or a certificate that is none is told at its place', () => {
  assert.deepEqual(said(`tcp: "127.0.0.1:65536", ${token}`), [
    'lab.yaml:3:16: the port in tcp of listen is 65536, and the highest is 65535',
  ]);
  assert.match(said(`tcp: 7411, ${token}`).join(), /3:16: tcp of listen must be HOST:PORT/);
  assert.match(said('tcp: "127.0.0.1:1"').join(), /3:1: missing key 'token' in listen/);
  assert.match(
    said('tcp: "127.0.0.1:1", token: secret').join(),
    /3:38: token of listen must be \{ file: PATH \} or \{ env: NAME \}, not 'secret'/,
  );
  for (const both of ['{}', '{ file: /t, env: T }'])
    assert.match(said(`tcp: "127.0.0.1:1", token: ${both}`).join(), /3:38: token of listen must be \{ file/);
  assert.match(
    said(`tcp: "127.0.0.1:1", ${token}, tls: { cert: /c }`).join(),
    /missing key 'key' in tls of listen/,
  );
});
