// /metrics and /healthz on the unix socket.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../server/lab.ts';
import { startHttp } from './http-lab.ts';

const timeout = 20_000;

test('/metrics is Prometheus text, and no part of the described API', { timeout }, async (t) => {
  const { ask, openapi } = await startHttp(t);
  const { status, body, headers } = await ask('GET', '/metrics');
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(body.toString(), /^# TYPE mq_boards gauge\nmq_boards\{state="free"\} 2\n/m);
  assert.deepEqual(
    Object.keys((await openapi()).paths).filter((path) => !path.startsWith('/v1/')),
    [],
  );
});

test('/healthz is 503 with the reason while nothing can be stored, and 200 again after', {
  timeout,
}, async (t) => {
  const { ask, store } = await startHttp(t);
  const lock = (target: string) =>
    ask('POST', '/v1/tickets', { requestId: newId(), target, kind: 'lock', key: '0' });
  assert.deepEqual((await ask('GET', '/healthz')).json, { ok: true, agent: 'present' });
  store.outcomes.push('refused');
  await lock('a');
  const ill = await ask('GET', '/healthz');
  const trouble = 'the last commit was refused';
  assert.deepEqual([ill.status, ill.json], [503, { ok: false, agent: 'present', trouble }]);
  await lock('b');
  assert.equal((await ask('GET', '/healthz')).status, 200);
});
