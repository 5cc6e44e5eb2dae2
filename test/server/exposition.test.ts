// Prometheus' text format: what is written is what a strict reader gets back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Family, formatFamilies, Histogram } from '../../src/server/metrics/exposition.ts';
import { noPromtool, runPromtool } from '../deploy/promtool.ts';
import { parseExposition, seriesValue } from './exposition-parser.ts';

test('labels and help texts with quotes, backslashes and line ends come back as they were', () => {
  const odd = 'a "b" \\ c\nd\\n';
  const samples = [{ labels: { x: odd, y: '' }, value: 1.5 }];
  const families: Family[] = [{ name: 'm', help: 'One\nline \\ "more"', type: 'gauge', samples }];
  const parsed = parseExposition(formatFamilies(families));
  assert.equal(seriesValue(parsed, 'm', { x: odd, y: '' }), 1.5);
  assert.equal(parsed.get('m')?.help, 'One\\nline \\\\ "more"');
});

test('numbers are written so that none is lost', () => {
  const values = [0, -1, 1e-7, 1e21, 123456789012, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const samples = values.map((value, at) => ({ labels: { at: String(at) }, value }));
  const parsed = parseExposition(formatFamilies([{ name: 'm', help: 'h', type: 'gauge', samples }]));
  assert.deepEqual(
    parsed.get('m')?.samples.map(({ value }) => value),
    values,
  );
});

test('a histogram counts each value at its bound and at all above it', () => {
  const histogram = new Histogram([1, 2.5, 10]);
  for (const value of [0, 1, 1.1, 2.5, 9, 10, 11, 1000]) histogram.observe(value);
  const series = [{ labels: { pool: 'p' }, histogram }];
  const text = formatFamilies([{ name: 'h_seconds', help: 'h', type: 'histogram', series }]);
  const parsed = parseExposition(text);
  const bucket = (le: string) => seriesValue(parsed, 'h_seconds_bucket', { pool: 'p', le });
  assert.deepEqual(['1', '2.5', '10', '+Inf'].map(bucket), [2, 4, 6, 8]);
  assert.equal(seriesValue(parsed, 'h_seconds_sum', { pool: 'p' }), 1034.6);
  assert.equal(seriesValue(parsed, 'h_seconds_count', { pool: 'p' }), 8);
});

test('promtool accepts it', { skip: noPromtool }, () => {
  const histogram = new Histogram([1]);
  const families: Family[] = [
    { name: 'a_total', help: 'h', type: 'counter', samples: [{ labels: { x: 'a"\n\\' }, value: 1 }] },
    { name: 'b_seconds', help: 'h', type: 'histogram', series: [{ histogram }] },
  ];
  assert.deepEqual(runPromtool(['check', 'metrics'], formatFamilies(families)), { code: 0, output: '' });
  // And it looks: what is wrong is refused.
  assert.notEqual(runPromtool(['check', 'metrics'], 'a_total{x="1} 1\n').code, 0);
});
