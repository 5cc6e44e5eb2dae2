// Which images tickets and live jobs name: none of them may go. Pure.
import type { State } from '../domain/state.ts';
import type { JobSpec } from '../protocol/schema.ts';

export function neededImages(state: State): ReadonlySet<string> {
  const hashes = new Set<string>();
  const note = (spec: unknown) => {
    const { files, dtb, bitstream } = spec as JobSpec;
    for (const file of [...files, dtb, bitstream]) if (file) hashes.add(file.hash);
  };
  for (const { job } of state.tickets.values()) if (job) note(job);
  for (const { spec } of state.jobs.values()) note(spec);
  return hashes;
}
