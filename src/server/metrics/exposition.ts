// Prometheus' text format, version 0.0.4. Pure. Its definition: prometheus.io/docs/instrumenting/exposition_formats.

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

/** One metric with all its samples. A histogram's samples come from Histogram. */
export type Family = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly Sample[] }
  | { readonly type: 'histogram'; readonly series: readonly { labels?: Labels; histogram: Histogram }[] }
);

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Counts values below bounds that rise. An observation costs a few comparisons. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One more than bounds: the last is for all that is above. Not added up. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** How many were at most the bound, for each bound in order. */
  cumulative(): { bound: number; count: number }[] {
    let count = 0;
    return this.bounds.map((bound, at) => {
      count += this.#counts[at] ?? 0;
      return { bound, count };
    });
  }
}

export function formatFamilies(families: readonly Family[]): string {
  return families.map(formatFamily).join('');
}

function formatFamily(family: Family): string {
  const { name, help, type } = family;
  const lines = [
    `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${name} ${type}`,
  ];
  if (family.type === 'histogram') {
    for (const { labels = {}, histogram } of family.series)
      lines.push(...histogramLines(name, labels, histogram));
  } else {
    for (const { labels = {}, value } of family.samples) lines.push(line(name, labels, value));
  }
  return `${lines.join('\n')}\n`;
}

function histogramLines(name: string, labels: Labels, histogram: Histogram): string[] {
  const { count, sum } = histogram;
  const buckets = histogram
    .cumulative()
    .map((bucket) => ({ le: formatNumber(bucket.bound), count: bucket.count }));
  return [
    ...[...buckets, { le: '+Inf', count }].map((bucket) =>
      line(`${name}_bucket`, { ...labels, le: bucket.le }, bucket.count),
    ),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${formatNumber(value)}`;
}

function escapeLabel(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
