// The last commands of a run, for a report of what went wrong. Text is made only when asked for.
import type { Command } from '../../domain/commands.ts';
import type { StepResult } from '../../domain/scheduler.ts';

const keptMax = 60;
const lineMax = 300;

interface Entry {
  readonly atMs: number;
  readonly what: string | Command;
  readonly result: StepResult | undefined;
}

export class Trace {
  #entries: Entry[] = [];

  note(atMs: number, what: string | Command, result?: StepResult): void {
    this.#entries.push({ atMs, what, result });
    if (this.#entries.length >= 2 * keptMax) this.#entries = this.#entries.slice(-keptMax);
  }

  lines(): string[] {
    return this.#entries.slice(-keptMax).map(({ atMs, what, result }) => {
      if (typeof what === 'string') return `${atMs} ${what}`;
      const effects = result?.effects.map((effect) => effect.kind).join(' ') ?? '';
      const reply = result?.reply === undefined ? '' : ` → ${JSON.stringify(result.reply)}`;
      const line = `${atMs} ${what.name} ${JSON.stringify(what.body)}${reply}`;
      return `${line.slice(0, lineMax)}${effects && ` [${effects}]`}`;
    });
  }
}
