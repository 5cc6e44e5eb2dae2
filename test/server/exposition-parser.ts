// A strict reader of Prometheus' text format: whatever does not fit, or contradicts itself, is an error.
import assert from 'node:assert/strict';

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

const namePattern = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelPattern = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const samplePattern = new RegExp(
  `^(${namePattern})(?:\\{(${labelPattern}(?:,${labelPattern})*)\\})? (\\S+)$`,
);

/** By name. Each family is in one piece: HELP, TYPE, then its samples, no series twice, histograms whole and rising. */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  assert.ok(text.endsWith('\n'), 'the text ends with a line end');
  const families = new Map<string, ParsedFamily>();
  const series = new Set<string>();
  let current: { name: string; family: ParsedFamily } | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${namePattern}) (.+)$`).exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      assert.ok(!families.has(name), `${name} is there once`);
      if (kind === 'HELP') {
        help = { name, text: rest };
        continue;
      }
      assert.equal(help?.name, name, `HELP comes before TYPE: ${line}`);
      assert.match(rest, /^(counter|gauge|histogram)$/, line);
      const family = { type: rest, help: help?.text ?? '', samples: [] };
      families.set(name, family);
      current = { name, family };
      continue;
    }
    const sample = parseSample(line);
    assert.ok(current, `a sample has a family: ${line}`);
    const suffixes = current.family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    const names = suffixes.map((suffix) => `${current?.name}${suffix}`);
    assert.ok(names.includes(sample.name), `${sample.name} is of ${current.name}`);
    const id = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    assert.ok(!series.has(id), `${id} is there once`);
    series.add(id);
    current.family.samples.push(sample);
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseSample(line: string): ParsedSample {
  const match = samplePattern.exec(line);
  assert.ok(match, `this is a sample: ${line}`);
  const [, name = '', pairs = '', text = ''] = match;
  const value = Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
  assert.ok(!Number.isNaN(value), `this is a number: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, key = '', quoted = ''] of pairs.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)) {
    assert.ok(!Object.hasOwn(labels, key), `the label ${key} is there once: ${line}`);
    labels[key] = quoted.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return { name, labels, value };
}

function checkFamily(name: string, { type, samples }: ParsedFamily): void {
  if (type === 'counter') {
    assert.match(name, /_total$/, `${name} is a counter`);
    for (const { value } of samples) assert.ok(value >= 0, name);
  }
  if (type !== 'histogram') return;
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY, name);
    for (const rising of [bounds, counts])
      assert.deepEqual(
        rising,
        rising.toSorted((a, b) => a - b),
        `${name} rises`,
      );
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    assert.equal(counts.at(-1), count, `${name}: all are in the last bucket`);
    assert.ok(group.some((sample) => sample.name === `${name}_sum`));
  }
}

/** The value of one series; undefined where there is none. */
export function seriesValue(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  const wanted = JSON.stringify(Object.entries(labels).sort());
  return family?.samples.find(
    (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
  )?.value;
}
