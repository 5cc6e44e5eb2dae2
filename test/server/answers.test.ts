// Answers in memory: the newest are kept, the oldest make way.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../src/server/answers.ts';

const rememberedMax = 10_000;

function answerTo(requestId: string) {
  return { requestId, caller: 'ana', digest: 'd', answer: `"${requestId}"` };
}

test('the newest ten thousand answers are remembered, and each older one is forgotten', () => {
  const answers = new Answers();
  const total = 2 * rememberedMax + 7;
  for (let at = 0; at < total; at += 1) answers.add(answerTo(`r${at}`));
  const known = Array.from({ length: total }, (_, at) => answers.find(`r${at}`)?.answer);
  assert.deepEqual(known.slice(0, total - rememberedMax), Array(total - rememberedMax).fill(undefined));
  assert.deepEqual(
    known.slice(total - rememberedMax),
    Array.from({ length: rememberedMax }, (_, at) => `"r${total - rememberedMax + at}"`),
  );
});

test('an answer that is added again takes nobody’s room', () => {
  const answers = new Answers();
  for (let at = 0; at < rememberedMax; at += 1) answers.add(answerTo(`r${at}`));
  for (let again = 0; again < 5; again += 1) answers.add(answerTo('r9'));
  assert.equal(answers.find('r0')?.answer, '"r0"');
  answers.add(answerTo('one more'));
  assert.equal(answers.find('r0'), undefined);
  assert.equal(answers.find('r1')?.answer, '"r1"');
});
