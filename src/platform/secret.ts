// Credentials, read where they are used and at that moment: what is configured says only where they are. Reads files and
// this program's environment.

import { readFile } from 'node:fs/promises';

export type SecretPlace = { readonly env: string } | { readonly file: string };

const secretBytesMax = 64 * 1024;

/** Rejects with an Error that says where the secret should be; never with any of it. A file's last line end is no part. */
export async function readSecretAt(source: SecretPlace): Promise<string> {
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
