// Dashboard, alert rules and their page name only metrics that a real server has, and Prometheus' own tool accepts them.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { scrapeMetrics } from '../../src/server/metrics/scrape.ts';
import { parseExposition } from '../server/exposition-parser.ts';
import { startLab, TestClient } from '../server/lab.ts';
import { noPromtool, runPromtool } from './promtool.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const dashboard = JSON.parse(read('deploy/grafana/machine-queue.json')) as {
  panels: Panel[];
  templating: object;
};
const rules = (
  parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const { lab } = await startLab({ after } as TestContext);
const ana = new TestClient(lab, 'ana');
const { ticket, view } = await ana.lock('p');
if (view.state === 'offered') await ana.confirm(ticket, view.token);
// The first pass over the state folder measures it.
while (lab.diskUse === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
const families = parseExposition(await scrapeMetrics(lab));

/** The metrics of an expression; `up` is Prometheus' own. */
function namesIn(text: string): string[] {
  return [...text.matchAll(/\b(?:mq|process)_[a-z_]+/g)].map(([name]) => name);
}

/** The names that a series may have. */
const seriesNames = new Set([...families].flatMap(([, { samples }]) => samples.map(({ name }) => name)));

test('each metric that the dashboard or an alert names is one of a real scrape, with the labels it asks for', () => {
  const texts = [...expressions, JSON.stringify(dashboard.templating), ...rules.map(({ expr }) => expr)];
  const named = texts.flatMap(namesIn);
  assert.ok(named.length > 40);
  assert.deepEqual(
    named.filter((name) => !seriesNames.has(name)),
    [],
  );
  for (const text of texts) {
    for (const [, name = '', selector = ''] of text.matchAll(/\b(mq_[a-z_]+)\{([^}]*)\}/g)) {
      const labels = [...selector.matchAll(/([a-z_]+)=/g)].map(([, label = '']) => label);
      const known = ['instance', 'job', ...labelsOf(name)];
      assert.deepEqual(
        labels.filter((label) => !known.includes(label)),
        [],
        text,
      );
    }
  }
});

function labelsOf(series: string): string[] {
  const samples = [...families.values()].flatMap((family) => family.samples);
  return samples.filter(({ name }) => name === series).flatMap(({ labels }) => Object.keys(labels));
}

test('each metric of a real scrape is in the dashboard and on the page, with its type and its labels', () => {
  const shown = new Set(expressions.flatMap(namesIn).map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  assert.deepEqual(
    [...families.keys()].filter((name) => !shown.has(name)),
    [],
  );
  const rows = [
    ...read('docs/operations.md').matchAll(/^\| `((?:mq|process)_[a-z_]+)` \| (\w+) \| (.*?) ?\| /gm),
  ];
  assert.deepEqual(
    rows.map(([, name, type, labels]) => `${name} ${type} ${labels?.replaceAll('`', '')}`.trim()).sort(),
    [...families]
      .map(([name, { type, samples }]) => {
        const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
        return `${name} ${type} ${[...labels].filter((label) => label !== 'le').join(', ')}`.trim();
      })
      .sort(),
  );
});

test('panels of the dashboard say what they show, and none lies over another', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const taken = new Map<string, string>();
  for (const { type, title, description, gridPos, targets = [] } of dashboard.panels) {
    assert.ok(type === 'row' || (description && targets.length > 0), title);
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.equal(taken.get(`${x} ${y}`), undefined, title);
        taken.set(`${x} ${y}`, title);
      }
    }
  }
});

test('each alert has a test that sees it fire', () => {
  const { tests } = parse(read('deploy/prometheus/alerts-test.yaml')) as {
    tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
  };
  const seen = tests.flatMap(({ alert_rule_test: cases }) =>
    cases.flatMap(({ alertname, exp_alerts: expected }) => (expected.length > 0 ? [alertname] : [])),
  );
  assert.deepEqual(
    rules.map(({ alert }) => alert).filter((alert) => !seen.includes(alert)),
    [],
  );
});

test('promtool accepts rules, their tests, the scrape and every expression of the dashboard', {
  skip: noPromtool,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'mq-rules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const prometheus = join(root, 'deploy/prometheus');
  const accepts = (words: string[]) => {
    const { code, output } = runPromtool(words);
    assert.equal(code, 0, output);
  };
  accepts(['check', 'rules', '--lint=all', '--lint-fatal', join(prometheus, 'alerts.yaml')]);
  accepts(['test', 'rules', join(prometheus, 'alerts-test.yaml')]);
  const scrape = join(folder, 'prometheus.yml');
  const indented = read('deploy/prometheus/scrape.yaml').replace(/^/gm, '  ');
  writeFileSync(scrape, `scrape_configs:\n${indented}\n`);
  accepts(['check', 'config', '--syntax-only', scrape]);
  const records = expressions.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll('$__rate_interval', '5m'),
  }));
  const panels = join(folder, 'panels.yaml');
  writeFileSync(panels, JSON.stringify({ groups: [{ name: 'panels', rules: records }] }));
  accepts(['check', 'rules', panels]);
});
