// A gap in a console: told from wherever the server stands, and never a reason to lose or to double what was kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { start, TestLab } from './lab.ts';

const options = { timeout: 20_000 };
const logBytesMax = 64 * 1024;
/** So many bytes that most of them fall out of the log. */
const printedBytes = 400_000;

/** An open job whose end text stood in what the log gave up. Its console was printed without a server. */
async function openJobWithGap(lab: TestLab): Promise<void> {
  const first = await lab.connect({ logBytesMax });
  first.send(start({ spec: { keepOn: true } }));
  await lab.board().sees('started');
  await first.message('started');
  await first.cut();
  const { session } = lab.board();
  session.print('x'.repeat(40_000));
  session.print('all is well');
  for (let at = 40_011; at < printedBytes; at += 10_000) {
    session.print(String(at).padEnd(Math.min(10_000, printedBytes - at), '.'));
  }
  // All of it has to be kept before a server looks: until then nothing is given up.
  for (let keptBytes = 0; keptBytes < printedBytes; ) {
    const looking = await lab.dial({ staysSilent: true });
    keptBytes = (await looking.message('hello')).jobs[0]?.consoleLength ?? 0;
    await looking.cut();
  }
}

test('a match that fell into a gap is told behind the gap, before the next byte', options, async (t) => {
  const lab = await TestLab.open(t);
  await openJobWithGap(lab);
  const server = await lab.connect({ logBytesMax });
  await server.until(() => lab.store.lengths.get(1) === printedBytes);
  const { matchEnd, open } = await server.message('completed');
  assert.deepEqual([matchEnd, open], [40_011, true]);
  const [gap] = lab.store.gaps;
  assert.ok(gap && gap.offset < 40_011 && gap.offset + gap.length > 40_011, 'the text is in the gap');
  const at = server.order.indexOf('console-gap');
  assert.equal(server.order[at + 1], 'completed');
});

test('a server that stands within a gap is told the rest of it', options, async (t) => {
  const lab = await TestLab.open(t);
  await openJobWithGap(lab);
  lab.store.lengths.set(1, 100_001);
  const server = await lab.connect({ logBytesMax });
  await server.until(() => lab.store.lengths.get(1) === printedBytes);
  assert.equal(lab.store.gaps[0]?.offset, 100_001);
  // It stands behind the text: that it came is told at once.
  assert.ok(server.order.indexOf('completed') < server.order.indexOf('console-gap'));
  const text = lab.store.console(1);
  assert.equal(text.length, printedBytes - 100_001 - (lab.store.gaps[0]?.length ?? 0));
  server.send({ type: 'finish', job: 1, token: '1.1' });
  assert.equal((await server.ended(1)).result.consoleLength, printedBytes);
});

test('a gap is the same for the next agent', options, async (t) => {
  const lab = await TestLab.open(t);
  await openJobWithGap(lab);
  const first = await lab.connect({ logBytesMax });
  first.send({ type: 'finish', job: 1, token: '1.1' });
  await first.ended(1);
  const gaps = [...lab.store.gaps];
  const text = lab.store.console(1);
  await first.cut();
  await lab.agent.stop('the agent was stopped');
  for (const kept of [lab.store.lengths, lab.store.consoles]) kept.clear();
  lab.store.gaps.length = 0;
  await lab.startAgent();
  const second = await lab.connect({ logBytesMax });
  await second.ended(1);
  assert.deepEqual(lab.store.gaps, gaps);
  assert.equal(lab.store.console(1), text);
});
