// Where the server is looked for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findServer, formatAddress } from '../../src/cli/connect/address.ts';

const env = { HOME: '/home/ana' };

function found(sources: {
  option?: string;
  env?: Record<string, string>;
  files?: Record<string, string>;
}): string {
  const { option, env: given = env, files = {} } = sources;
  return formatAddress(findServer({ option, env: given, readText: (path) => files[path] }));
}

test('--server comes first, then MQ_SERVER, then the file, then the default', () => {
  const file = { '/home/ana/.config/machine-queue/config.yaml': 'server: unix:/from/file\n' };
  const both = { ...env, MQ_SERVER: 'unix:/from/env' };
  assert.equal(found({ option: 'unix:/from/option', env: both, files: file }), 'unix:/from/option');
  assert.equal(found({ env: both, files: file }), 'unix:/from/env');
  assert.equal(found({ files: file }), 'unix:/from/file');
  assert.equal(found({}), 'unix:/run/machine-queue/mq.sock');
});

test('the file is where XDG_CONFIG_HOME says, and ~/.mq is never asked for', () => {
  const asked: string[] = [];
  const readText = (path: string) => {
    asked.push(path);
    return undefined;
  };
  findServer({ option: undefined, env: { HOME: '/home/ana', XDG_CONFIG_HOME: '/etc/ana' }, readText });
  findServer({ option: undefined, env, readText });
  findServer({ option: undefined, env: {}, readText });
  assert.deepEqual(asked, [
    '/etc/ana/machine-queue/config.yaml',
    '/home/ana/.config/machine-queue/config.yaml',
  ]);
});

test('the file may have comments, quotes and empty lines', () => {
  const text = '---\n# my lab\n\nserver: "unix:/a b/mq.sock"  # the socket\n';
  assert.equal(
    found({ files: { '/home/ana/.config/machine-queue/config.yaml': text } }),
    'unix:/a b/mq.sock',
  );
  assert.equal(
    found({ files: { '/home/ana/.config/machine-queue/config.yaml': '# nothing\n' } }),
    'unix:/run/machine-queue/mq.sock',
  );
});

test('a file that is not understood is an error with its line', () => {
  for (const text of ['# x\nsevrer: unix:/a\n', '# x\nserver unix:/a\n', '# x\n  - unix:/a\n']) {
    assert.throws(
      () => found({ files: { '/home/ana/.config/machine-queue/config.yaml': text } }),
      { code: 'BAD_REQUEST', message: /config\.yaml, line 2/ },
      text,
    );
  }
});

test('a path with a slash is an address, anything else is told with who said it', () => {
  assert.equal(found({ option: '/tmp/mq.sock' }), 'unix:/tmp/mq.sock');
  assert.equal(found({ option: 'unix:relative.sock' }), 'unix:relative.sock');
  for (const option of ['mq.sock', 'unix:', '', 'ftp://host']) {
    assert.throws(() => found({ option }), { code: 'BAD_REQUEST', message: /--server/ }, option);
  }
  assert.throws(() => found({ env: { MQ_SERVER: 'host:80' } }), { message: /MQ_SERVER/ });
});

test('ssh://[user@]host[:port] is an address', () => {
  for (const option of [
    'ssh://lab',
    'ssh://ana@lab.example.org:2222',
    'ssh://[::1]:22',
    'ssh://a.b-c_d@10.0.0.1',
  ])
    assert.equal(found({ option }), option);
  assert.equal(found({ env: { ...env, MQ_SERVER: 'ssh://lab/' } }), 'ssh://lab');
});

test('what ssh or a shell could take for more than a user, a host and a port is refused', () => {
  const refused = [
    'ssh://',
    'ssh://-oProxyCommand=id',
    'ssh://-l@lab',
    'ssh://lab:0',
    'ssh://lab:65536',
    'ssh://lab:-1',
    'ssh://a b@lab',
    'ssh://lab;id',
    'ssh://$(id)',
    'ssh://lab\nid',
    'ssh://lab/mq.sock',
    'ssh://ana:secret@lab',
  ];
  for (const option of refused) assert.throws(() => found({ option }), { code: 'BAD_REQUEST' }, option);
});

test('http[s]://host[:port] is an address, whose port is 7411 where none is given', () => {
  assert.equal(found({ option: 'http://127.0.0.1' }), 'http://127.0.0.1:7411');
  assert.equal(found({ option: 'https://lab.example.org:443/' }), 'https://lab.example.org:443');
  assert.equal(found({ option: 'https://[::1]:7000' }), 'https://[::1]:7000');
  const refused = [
    'http://',
    'https://:80',
    'http://lab:0',
    'http://lab:65536',
    'http://lab/path',
    'http://-x',
  ];
  for (const option of [...refused, 'https://ana:secret@lab', 'http://a b', 'http://lab\r\nX: y'])
    assert.throws(() => found({ option }), { code: 'BAD_REQUEST' }, option);
});

test('a token file in the configuration file belongs to the server that is named there', () => {
  const text = 'server: https://lab\ntoken_file: /home/ana/token\n';
  const files = { '/home/ana/.config/machine-queue/config.yaml': text };
  const find = (option?: string) => findServer({ option, env, readText: (path) => files[path as never] });
  assert.deepEqual(find(), {
    kind: 'tcp',
    host: 'lab',
    port: 7411,
    tls: true,
    tokenFile: '/home/ana/token',
    from: '/home/ana/.config/machine-queue/config.yaml',
  });
  const other = find('https://other');
  assert.equal(other.kind === 'tcp' && other.tokenFile, undefined);
});
