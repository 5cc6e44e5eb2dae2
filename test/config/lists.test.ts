// The old lists, against what a real lab's scripts printed (test/fixtures/lab).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import { features, poolTsv, systems, systemsSimple, systemTsv } from '../../src/cli/lists.ts';
import type { LabListing } from '../../src/protocol/lab.ts';

function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/lab/${name}`, import.meta.url), 'utf8');
}

function parsed(text: string): LabListing {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  return result.config;
}

const real = parsed(fixture('lab.yaml'));

test('system-tsv prints the bytes of the old scripts', () => {
  assert.equal(systemTsv(real), fixture('system.tsv'));
});

test('pool-tsv prints the bytes of the old scripts', () => {
  assert.equal(poolTsv(real), fixture('pool.tsv'));
});

test('features prints the bytes of the old scripts', () => {
  assert.equal(features(real), fixture('features.txt'));
});

test('systems prints the bytes of the old scripts', () => {
  assert.equal(systems(real), fixture('systems.txt'));
});

test('systems simple prints the names of the boards, one a line', () => {
  const names = fixture('system.tsv')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[0]);
  assert.equal(systemsSimple(real), names.join('\n'));
});

test('what is not configured prints as a question mark, and a range of files as its end', () => {
  const lab = parsed(
    'lab: L\nboards: { constructor: { files: { min: 1, max: 2 }, machine: { driver: v86 } } }\n',
  );
  assert.equal(systemTsv(lab).split('\n')[1], 'constructor\t?\t?\t?\t?\t?\t?\t?\t?\t2');
  assert.equal(
    systems(lab).split('\n')[3],
    '|    constructor |     ? |       ? |               ? |              ? |     ? |     ? |      ? |',
  );
});

test('a lab without pools prints no pool, and the frame of its table', () => {
  const lab = parsed('lab: L\nboards: { b: { machine: { driver: v86 } } }\n');
  assert.equal(poolTsv(lab), '');
  assert.equal(systems(lab).split('\n').length, 10);
});
