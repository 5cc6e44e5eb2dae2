/** Holds the lists that mq makes of a lab against what the old scripts printed. Pure. */
import type { LabListing } from '../../../protocol/lab.ts';
import { features, poolTsv, systemTsv } from '../../lists.ts';
import type { OldLab } from './ask-old-scripts.ts';

const lists = { 'system-tsv': systemTsv, 'pool-tsv': poolTsv, features };

/** A sentence for each list that would not be the same, with its first line that is another. */
export function listDifferences(lab: LabListing, printed: OldLab['printed']): string[] {
  return (Object.keys(lists) as (keyof typeof lists)[]).flatMap((name) => {
    const ours = lists[name](lab);
    const old = printed[name];
    if (ours === old) return [];
    const oldLines = old.split('\n');
    const ourLines = ours.split('\n');
    const index = oldLines.findIndex((line, at) => line !== ourLines[at]);
    const at = index < 0 ? oldLines.length : index;
    const [was, is] = [oldLines[at], ourLines[at]].map((line) => JSON.stringify(line ?? ''));
    return [`mq ${name} would not be the same, first in line ${at + 1}: it was ${was}, and would be ${is}`];
  });
}
