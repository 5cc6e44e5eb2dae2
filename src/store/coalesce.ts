// From the changes of a batch to the writes that are left of them: one for each record that ends up different.
import type { Change } from '../domain/records.ts';

/** The record before the batch and after it; both as the scheduler has them. */
export type NetChange = Change;

/** Keeps the first `before` and the last `after` of each record, in the order of first touch. */
export function coalesce(changes: readonly Change[]): NetChange[] {
  const net = new Map<string, { entity: Change['entity']; key: string; before: unknown; after: unknown }>();
  for (const change of changes) {
    const name = `${change.entity}\u0000${change.key}`;
    const found = net.get(name);
    if (found) found.after = change.after;
    else net.set(name, { ...change });
  }
  return [...net.values()].filter((change) => change.before !== change.after) as NetChange[];
}
