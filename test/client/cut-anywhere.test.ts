// The link is cut before and after every single message of a run; what comes out is the same as without a cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readConsole } from '../../src/client/console.ts';
import { submitTicket } from '../../src/client/ticket.ts';
import { uploadMissing } from '../../src/client/upload.ts';
import { connectScripted } from './connect-scripted.ts';
import type { ScriptedOptions } from './scripted-server.ts';

const text = Buffer.from(Array.from({ length: 300 }, (_, index) => index % 256));
const image = Buffer.from('an image of some length, in pieces');

async function runJob(options: ScriptedOptions) {
  const { server, client } = await connectScripted({ console: text, ...options }, { random: () => 0.5 });
  await uploadMissing(client, [
    {
      hash: 'aa',
      size: image.length,
      async *open() {
        for (let at = 0; at < image.length; at += 8) yield image.subarray(at, at + 8);
      },
    },
  ]);
  const ticket = await submitTicket(client, { target: 'b', kind: 'run', key: '0' });
  const settled = await ticket.settled();
  const parts: Uint8Array[] = [];
  for await (const piece of readConsole(client, ticket.id)) {
    assert.equal(piece.kind, 'bytes');
    if (piece.kind === 'bytes') parts.push(Buffer.from(piece.bytes));
  }
  const job = await ticket.jobEnded();
  client.close();
  return { server, settled, console: Buffer.concat(parts), job };
}

function assertAsIfUncut(run: Awaited<ReturnType<typeof runJob>>, where: string): void {
  assert.deepEqual(run.console, text, where);
  assert.equal(run.settled.state, 'started', where);
  assert.equal(run.job.verdict, 'completed', where);
  assert.deepEqual(run.server.images.get('aa'), image, where);
  const changes = run.server.done.filter((what) => ['submit', 'confirm', 'start'].includes(what));
  assert.deepEqual(changes, ['submit', 'confirm', 'start'], where);
}

for (const [name, options] of Object.entries({
  'a free board': {},
  'a board that comes free later': { busyUntilMs: 5000 },
  'an offer that is taken back when its client is away': { busyUntilMs: 5000, takeBack: true },
} satisfies Record<string, ScriptedOptions>)) {
  test(`${name}: a link cut at any message loses nothing and does nothing twice`, async () => {
    const whole = await runJob(options);
    const messages = whole.server.trace.length;
    assert.ok(messages > 30, `${messages} messages`);
    assert.deepEqual(whole.server.done.slice(0, 3), ['submit', 'confirm', 'start']);
    for (let at = 0; at < messages; at += 1) {
      for (const lose of [true, false]) {
        // Before its first word the server counts as unreachable, and that is told at once.
        if (at === 0 || (at === 1 && lose)) {
          await assert.rejects(runJob({ ...options, cuts: [{ at, lose }] }), { code: 'SERVER_UNREACHABLE' });
          continue;
        }
        const cut = await runJob({ ...options, cuts: [{ at, lose }] });
        assertAsIfUncut(cut, `cut ${lose ? 'before' : 'after'} message ${at} (${whole.server.trace[at]})`);
      }
    }
  });
}

test('a link that is cut several times loses nothing and does nothing twice', async () => {
  const cut = fc.record({ at: fc.integer({ min: 2, max: 90 }), lose: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(cut, { maxLength: 6 }), fc.boolean(), async (cuts, takeBack) => {
      const run = await runJob({ cuts, busyUntilMs: 5000, takeBack });
      assertAsIfUncut(run, JSON.stringify(cuts));
    }),
    { numRuns: 200 },
  );
});
