// Credentials, read where they are used and at that moment: what is configured says only where they are. Reads files
// and this program's environment.

import { readFile } from 'node:fs/promises';

/** A text for all to see, or where a secret is: a variable of this program's environment, or a file. */
export type SecretSource = string | { readonly env: string } | { readonly file: string };

/** Values for a program's environment, by name. */
export type EnvironmentSource = Readonly<Record<string, SecretSource>>;

const secretBytesMax = 64 * 1024;

/** Rejects with an Error that says where the secret should be; never with any of it. A file's last line end is no part. */
export async function readSecret(source: SecretSource): Promise<string> {
  if (typeof source === 'string') return source;
  const text = 'env' in source ? process.env[source.env] : await readSecretFile(source.file);
  const place = 'env' in source ? `the environment variable ${source.env}` : source.file;
  if (text === undefined) throw new Error(`${place} is not set`);
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new Error(`${place} is empty`);
  if (secret.includes('\0') || secret.length > secretBytesMax) throw new Error(`${place} holds no secret`);
  return secret;
}

async function readSecretFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`the secret's file can't be read: ${(error as Error).message}`);
  }
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
