// A process of its own that fills a log with the pattern until it is killed: `node byte-log-scribe.ts FOLDER SEED`.
// For each answer of append it prints the length. The time of each chunk is its offset.

import { writeSync } from 'node:fs';
import { ByteLog } from '../../src/platform/byte-log.ts';
import { chunkBytesMax, patternBytes, scribeLimits } from './byte-log-pattern.ts';

const [folder = '', seed = '0'] = process.argv.slice(2);
const log = await ByteLog.open(folder, scribeLimits);
let offset = log.length;
let random = Number(seed);
let open = 0;

function appendNext(): void {
  random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
  const length = 1 + (random % chunkBytesMax);
  const answer = log.append(patternBytes(offset, length), offset);
  offset += length;
  open += 1;
  void answer.then((answered) => {
    writeSync(1, `${answered}\n`);
    open -= 1;
    // Now one chunk at a time, now several in one batch.
    while (open < 1 + (random % 5)) appendNext();
  });
}

appendNext();
