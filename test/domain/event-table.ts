// Every event in every state, as the scheduler does it: each cell is carried out on a lab of its own and told in a few
// words. docs/ARCHITECTURE.md holds the tables; every-event.test.ts compares.
import type { Lab } from './lab.ts';

/** A lab in some state, and what of it a table looks at. */
export interface Scene {
  readonly lab: Lab;
  /** The ticket, or the job, that the table is about. */
  readonly id: number;
}

export type Event = readonly [name: string, happen: (scene: Scene) => unknown];
export type Situation = readonly [name: string, make: () => Scene];

export interface EventTable {
  readonly title: string;
  readonly intro: string;
  readonly situations: readonly Situation[];
  readonly events: readonly Event[];
  readonly describe: (scene: Scene) => string;
}

/** Writes a table as Markdown. A cell that changes nothing says so. */
export function writeTable(table: EventTable): string {
  const names = table.situations.map(([name]) => name);
  const lines = table.events.map(([event, happen]) => {
    const cells = table.situations.map(([, make]) => tellCell(table, make(), happen));
    return `| ${event} | ${cells.join(' | ')} |`;
  });
  return [
    `### ${table.title}`,
    '',
    table.intro,
    '',
    `| event | ${names.join(' | ')} |`,
    `|---${'|---'.repeat(names.length)}|`,
    ...lines,
  ].join('\n');
}

function tellCell(table: EventTable, scene: Scene, happen: Event[1]): string {
  const { lab } = scene;
  const before = table.describe(scene);
  const seen = lab.effects.length;
  const reply = happen(scene);
  const after = table.describe(scene);
  const effects = new Set(lab.effects.slice(seen).map((effect) => effect.kind));
  const told = (
    ['offer', 'ping', 'start-job', 'cancel-job', 'finish-job', 'power-off', 'power'] as const
  ).filter((kind) => effects.has(kind));
  const parts = [
    after === before ? '' : `**${after}**`,
    told.length > 0 ? `(${told.join(', ')})` : '',
    tellReply(reply),
  ];
  return parts.filter((part) => part !== '').join(' ') || '–';
}

function tellReply(reply: unknown): string {
  if (typeof reply === 'string') return `‘${reply}’`;
  if (Array.isArray(reply)) return `‘${reply.join(', ')}’`;
  if (reply && typeof reply === 'object' && 'kind' in reply) {
    const why =
      'why' in reply && reply.why && typeof reply.why === 'object' && 'kind' in reply.why
        ? ` ${reply.why.kind}`
        : '';
    return `‘${reply.kind}${why}’`;
  }
  return '';
}
