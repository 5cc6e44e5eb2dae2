/** Whether the secrets that a lab's file names are where it says. Reads them, and keeps and shows none. */
import { readSecret, type SecretSource } from '../../drivers/secret.ts';
import { valueAt } from './lab-value.ts';
import type { ConfigProblem } from './problem.ts';
import type { Path, Source } from './source.ts';
import { thingAt } from './wording.ts';

/** Of a file whose shape may be wrong: that is said elsewhere. */
export async function checkSecrets(source: Source): Promise<ConfigProblem[]> {
  const owners: Path[] = [
    ...source.keys(['power_units']).map((name) => ['power_units', name]),
    ...['types', 'boards'].flatMap((section) =>
      source.keys([section]).map((name) => [section, name, 'power']),
    ),
  ];
  const variables = owners.flatMap((owner) =>
    source.keys([...owner, 'env']).map((variable) => [...owner, 'env', variable]),
  );
  const problems: ConfigProblem[] = [];
  for (const path of [['listen', 'token'], ['mail', 'smtp', 'password'], ...variables]) {
    const place = secretAt(source, path);
    if (place === undefined) continue;
    try {
      await readSecret(place);
    } catch (error) {
      const message = `there is no secret for ${thingAt(path)}: ${(error as Error).message}`;
      problems.push({ ...source.valuePlace(path), message });
    }
  }
  return problems;
}

function secretAt(source: Source, path: Path): SecretSource | undefined {
  const env = valueAt(source, [...path, 'env']);
  if (typeof env === 'string') return { env };
  const file = valueAt(source, [...path, 'file']);
  return typeof file === 'string' ? { file } : undefined;
}
