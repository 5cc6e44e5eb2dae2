/**
 * The label of a set, as a lab takes it from the key of a lock (`set_from_key`). Imports nothing.
 *
 * Keys come from anybody, and JavaScript's expressions can take for ever: so only those are allowed of which the time
 * grows with the square of the key's length at most, and keys have a length.
 */

const keyLengthMax = 1_024;
/** As of a label that a client gives. */
const labelLengthMax = 256;
const optionalMax = 4;

/** Why this expression can't be used, as the end of '… must be'; undefined if it can. */
export function keyPatternProblem(source: string): string | undefined {
  try {
    new RegExp(source, 'u');
  } catch (cause) {
    return `a regular expression (${(cause as Error).message})`;
  }
  const bare = source
    .replace(/\\[\s\S]/g, (pair) => (/[1-9k]/.test(pair) ? pair : 'x'))
    .replace(/\[[^\]]*\]/g, 'x');
  if (/\\[1-9k]/.test(bare)) return 'an expression without back references';
  if (/\(\?[=!<]/.test(bare.replaceAll(/\(\?<[A-Za-z_]\w*>/g, '(')))
    return 'an expression that looks neither ahead nor back';
  if (/\)[*+?{]/.test(bare)) return 'an expression in which no group is repeated';
  const repeats = bare.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  const optionals = bare.replace(/[*+}]\?|\(\?/g, '').match(/\?/g)?.length ?? 0;
  // Without ^ at its start it is tried at each letter, which is a repeat of its own.
  const isAnchored = source.startsWith('^') && !bare.includes('|');
  const repeatsMax = isAnchored ? 2 : 1;
  if (repeats > repeatsMax)
    return 'an expression with one repeat (* + {2,}), or two where it begins with ^ and has no |';
  return optionals > optionalMax ? `an expression with ${optionalMax} times ? at most` : undefined;
}

/** The first group of the match, or all of it; undefined where there is none, or only an empty one. */
export function labelOfKey(pattern: string, key: string): string | undefined {
  if (key.length > keyLengthMax) return undefined;
  const match = new RegExp(pattern, 'u').exec(key);
  return (match?.[1] ?? match?.[0])?.slice(0, labelLengthMax) || undefined;
}
