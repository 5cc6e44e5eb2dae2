/** What a schema can't say of `mail`: one way out, some address, and a login that is whole. Looks only at sound parts. */
import type { ConfigProblem } from './problem.ts';
import type { Path, Source } from './source.ts';

export function checkMail(source: Source, isSound: (path: Path) => boolean): ConfigProblem[] {
  const keys = source.keys(['mail']);
  if (keys.length === 0) return [];
  const problems: ConfigProblem[] = [];
  const say = (path: Path, message: string) => problems.push({ ...source.keyPlace(path), message });
  const has = (key: string) => keys.includes(key);
  // A slip of the pen is said where the key is.
  if (isSound(['mail']) && !has('smtp') && !has('sendmail')) {
    say(['mail'], 'mail has no way out. Write smtp: { host: … } or sendmail: /usr/sbin/sendmail');
  }
  if (has('smtp') && has('sendmail')) say(['mail', 'sendmail'], 'mail has both smtp and sendmail. Keep one');
  if (isSound(['mail']) && !has('domain') && !has('addresses')) {
    say(['mail'], 'mail knows no address. Write domain: lab.example, or addresses: { ana: ana@lab.example }');
  }
  const smtp = ['mail', 'smtp'];
  const login = source.keys(smtp).filter((key) => key === 'user' || key === 'password');
  const [only] = login;
  if (isSound(smtp) && login.length === 1 && only) {
    const other = only === 'user' ? 'password' : 'user';
    say([...smtp, only], `smtp of mail has ${only} and no ${other}. Write both, or none`);
  }
  return problems;
}

export function warningsOfMail(source: Source): ConfigProblem[] {
  const smtp = ['mail', 'smtp'];
  const isLocal = /^(localhost|127\.[0-9.]+|::1)$/.test(source.text([...smtp, 'host']) ?? '');
  const isOpen = source.text([...smtp, 'tls']) === 'none' && source.keys(smtp).includes('password');
  if (!isOpen || isLocal) return [];
  const message = 'the password of smtp crosses the network for all to read, with tls: none';
  return [{ ...source.keyPlace([...smtp, 'tls']), message }];
}
