// The lists of the old scripts, for the real lab of test/fixtures/lab.
import type { Case } from './case.ts';

export interface ListCase extends Pick<Case, 'rows' | 'name' | 'words'> {
  /** Of test/fixtures/lab, whose bytes come out. */
  readonly file?: string;
}

export const listCases: readonly ListCase[] = [
  { rows: ['lists 1'], name: 'systems', words: 'systems', file: 'systems.txt' },
  { rows: ['lists 2'], name: 'systems simple', words: 'systems simple' },
  { rows: ['lists 3'], name: 'system-tsv', words: 'system-tsv', file: 'system.tsv' },
  { rows: ['lists 4'], name: 'pool-tsv', words: 'pool-tsv', file: 'pool.tsv' },
  { rows: ['lists 5'], name: 'features', words: 'features', file: 'features.txt' },
];
