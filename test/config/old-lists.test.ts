// What the old scripts print, taken apart: a real lab's lists come through, and what is no list is refused by line.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  OldListError,
  parseFeatures,
  parsePoolTsv,
  parseSystemTsv,
} from '../../src/cli/config/import/old-lists.ts';

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/lab/${name}`, import.meta.url), 'utf8');
}

const header = 'name\tarch\tsel4_plat\tisa\tsoc\tcpu\tcores\tram\tmax_clk\tnum_files';
const board = 'b\tarm\tp\ti\ts\tc\t4\t1GB\t1GHz\t1';

function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof OldListError, String(error));
    return error.message;
  }
  assert.fail('it was taken');
}

test('the lists of a real lab come through whole', () => {
  const boards = parseSystemTsv(fixture('system.tsv'));
  assert.equal(boards.length, 52);
  assert.deepEqual(boards.at(-1)?.name, 'zcu106');
  assert.equal(parsePoolTsv(fixture('pool.tsv')).length, 6);
  const features = parseFeatures(fixture('features.txt'));
  assert.equal(features.size, 52);
  assert.deepEqual(features.get('vb_105'), { linux: true, dtb: false });
});

test('columns are found by name, and what is unknown or empty is left out', () => {
  const mixed =
    'num_files\tname\tarch\tsel4_plat\tisa\tsoc\tcpu\tcores\tram\tmax_clk\n2\tb\tx86\t?\t\ts\tc\t4\t??\tm\n';
  assert.deepEqual(parseSystemTsv(mixed), [
    {
      name: 'b',
      fileCount: '2',
      attributes: { arch: 'x86', soc: 's', cpu: 'c', cores: '4', ram: '??', max_clk: 'm' },
    },
  ]);
});

test('what is no list of boards is refused, with its line', () => {
  const usage = refusal(() => parseSystemTsv('usage: mq.sh COMMAND\n'));
  assert.match(usage, /^system-tsv, line 1: .*does not name name, arch.* Found: "usage: mq.sh COMMAND"$/);
  assert.match(
    refusal(() => parseSystemTsv('')),
    /line 1/,
  );
  assert.match(
    refusal(() => parseSystemTsv(`${header}\n`)),
    /lists no board/,
  );
  assert.match(
    refusal(() => parseSystemTsv(`${header}\n${board}\nb2\tarm\n`)),
    /line 3: .* 10 columns, not 2/,
  );
  assert.match(
    refusal(() => parseSystemTsv(`${header}\n${board}\n${board}\n`)),
    /line 3: board 'b' is there twice/,
  );
});

test('what is no list of pools is refused, and no pool at all is not', () => {
  assert.deepEqual(parsePoolTsv(''), []);
  assert.match(
    refusal(() => parsePoolTsv('p\ta\nThere are no pools\n')),
    /^pool-tsv, line 2: a pool is/,
  );
  assert.match(
    refusal(() => parsePoolTsv('p\ta\np\tb\n')),
    /line 2: pool 'p' is there twice/,
  );
});

test('what is no table of features is refused', () => {
  const table = '| Name | PXE boot Linux | Custom DTB |\n';
  assert.match(
    refusal(() => parseFeatures('')),
    /printed nothing/,
  );
  assert.match(
    refusal(() => parseFeatures('| Name | Linux |\n')),
    /line 1: .*PXE boot Linux, Custom DTB/,
  );
  assert.match(
    refusal(() => parseFeatures(`${table}| b | maybe | no |\n`)),
    /line 2: .*yes or no/,
  );
  assert.equal(parseFeatures(`${table}| b | yes | no |\n`).size, 1);
});
