// Credentials, read where they are used and at that moment: what is configured says only where they are.

import { readSecretAt, type SecretPlace } from '../platform/secret.ts';

/** A text for all to see, or where a secret is: a variable of this program's environment, or a file. */
export type SecretSource = string | SecretPlace;

/** Values for a program's environment, by name. */
export type EnvironmentSource = Readonly<Record<string, SecretSource>>;

/** As `readSecretAt`; a text for all to see is itself. */
export async function readSecret(source: SecretSource): Promise<string> {
  return typeof source === 'string' ? source : readSecretAt(source);
}

/** The values, and what takes the secret ones out of a text. Rejects like `readSecret`, with the variable's name. */
export async function readEnvironment(
  source: EnvironmentSource,
): Promise<{ environment: Record<string, string>; hide: (text: string) => string }> {
  const secrets: string[] = [];
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(source)) {
    try {
      environment[name] = await readSecret(value);
    } catch (cause) {
      throw new Error(`no value for ${name}: ${(cause as Error).message}`, { cause });
    }
    if (typeof value !== 'string') secrets.push(environment[name]);
  }
  // The longest first: one may be part of another.
  secrets.sort((a, b) => b.length - a.length);
  const hide = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return { environment, hide };
}
