// Certificates of a test's own, by openssl: each is its own authority.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

/** Why there can be no certificates; for `skip`. False where there can. A CI must have openssl. */
export const noOpenssl: string | false = whyNoOpenssl();

function whyNoOpenssl(): string | false {
  if (spawnSync('openssl', ['version']).status === 0) return false;
  const reason = 'openssl is missing; npm run setup:debian adds it';
  if (process.env.CI) throw new Error(reason);
  return reason;
}

/** For 127.0.0.1 and localhost; the files are NAME.pem and NAME.key in the folder. */
export function makeCertificate(folder: string, name = 'tls'): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const about = ['-days', '2', '-subj', '/CN=localhost', '-addext', names];
  execFileSync('openssl', [...words, ...about, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  chmodSync(key, 0o600);
  return { cert, key };
}
