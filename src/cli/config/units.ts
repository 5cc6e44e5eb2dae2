/** Sizes and durations as people write them. Pure. */

const unitBytes = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;
const unitSeconds = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;

/** '256MB' → 268435456; undefined where it is not a size. A unit is a power of 1024, and is always written. */
export function parseSizeBytes(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,5})(B|KB|MB|GB)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes];
}

/** '20m' → 1200, '1h30m' → 5400; undefined where it is not a duration. Larger units come first. */
export function parseDurationSeconds(text: string): number | undefined {
  if (!/^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/.test(text)) return undefined;
  let seconds = 0;
  for (const match of text.matchAll(/(\d+)([dhms])/g)) {
    seconds += Number(match[1]) * unitSeconds[match[2] as keyof typeof unitSeconds];
  }
  return seconds;
}
