// An sshd of a test's own: on loopback, on a high port, as the current user, with keys made for it. A program `ssh`
// that stands first in PATH adds the test's configuration and notes each connection.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Lab } from './lab.ts';
import { mqPath } from './paths.ts';
import { Running } from './running.ts';
import { me } from './users.ts';

const sshdPath = '/usr/sbin/sshd';
const sshPath = '/usr/bin/ssh';
const connectionsMsMax = 30_000;
const pollMs = 20;

/** Why there can be no sshd here; for `skip`. False where there can. A CI must have one. */
export const noSshd: string | false = whyNoSshd();

function whyNoSshd(): string | false {
  const missing = [sshdPath, sshPath, '/usr/bin/ssh-keygen'].filter((path) => !existsSync(path));
  if (missing.length === 0) return false;
  const reason = `${missing.join(', ')} is missing; npm run setup:debian adds it`;
  if (process.env.CI) throw new Error(reason);
  return reason;
}

export class SshHost {
  readonly port: number;
  readonly #folder: string;
  readonly #socketPath: string;
  readonly #sshd: Running;
  #shared: Running | undefined;

  private constructor(lab: Lab, folder: string, port: number, sshd: Running) {
    this.#socketPath = lab.socketPath;
    this.#folder = folder;
    this.port = port;
    this.#sshd = sshd;
  }

  /**
   * Starts it in the lab's folder, for the lab's server. It ends with `close`, or with the lab.
   * @param options.sharesConnection clients come over one connection, as with ControlMaster in a person's ssh_config
   */
  static async start(lab: Lab, { sharesConnection = false } = {}): Promise<SshHost> {
    const folder = join(lab.folder, 'ssh host');
    for (const name of ['bin', 'tmp', 'home']) await mkdir(join(folder, name), { recursive: true });
    for (const name of ['host-key', 'client-key'])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
    // As root, sshd wants this empty folder, which its Debian service makes at each start.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
    const port = await freePort();
    const file = async (name: string, lines: readonly string[]) =>
      writeFile(join(folder, name), `${lines.join('\n')}\n`);
    await file('sshd_config', [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey "${folder}/host-key"`,
      `AuthorizedKeysFile "${folder}/client-key.pub"`,
      'AuthenticationMethods publickey',
      'StrictModes no',
      'PermitRootLogin prohibit-password',
      'PidFile none',
      'MaxStartups 100',
      // What a person's shell does at each log-in is slow, and may write.
      `SetEnv "MQ_SERVER=unix:${lab.socketPath}" "TMPDIR=${folder}/tmp" "HOME=${folder}/home"`,
    ]);
    await file('ssh_config', [
      `IdentityFile "${folder}/client-key"`,
      'IdentitiesOnly yes',
      `UserKnownHostsFile "${folder}/known_hosts"`,
      `HostKeyAlgorithms ssh-ed25519`,
      ...(sharesConnection ? [`ControlPath "${folder}/control-%p"`] : []),
    ]);
    const hostKey = await readFile(join(folder, 'host-key.pub'), 'utf8');
    await file('known_hosts', [`[127.0.0.1]:${port} ${hostKey.trim()}`]);
    await file('bin/ssh', [
      '#!/bin/sh',
      `echo $$ >> '${folder}/calls'`,
      `exec ${sshPath} -F '${folder}/ssh_config' "$@"`,
    ]);
    await chmod(join(folder, 'bin/ssh'), 0o755);
    const sshd = new Running(sshdPath, ['-D', '-e', '-f', join(folder, 'sshd_config')]);
    await sshd.printed('Server listening', 'stderr');
    const host = new SshHost(lab, folder, port, sshd);
    if (sharesConnection) await host.#share();
    return host;
  }

  /** Opens the connection that clients share. */
  async #share(): Promise<void> {
    const config = join(this.#folder, 'ssh_config');
    const words = ['-F', config, '-p', String(this.port), '-v', '-M', '-N', `${me.name}@127.0.0.1`];
    this.#shared = new Running(sshPath, words);
    await this.#shared.printed('Entering interactive session', 'stderr');
  }

  /** The folder for temporary files there. */
  get temporaryFolder(): string {
    return join(this.#folder, 'tmp');
  }

  /** The environment of a client that reaches the lab through it. */
  get environment(): Record<string, string> {
    return {
      PATH: `${this.#folder}/bin:${process.env.PATH ?? '/usr/bin:/bin'}`,
      MQ_SERVER: `ssh://${me.name}@127.0.0.1:${this.port}`,
      MQ_REMOTE: mqPath,
    };
  }

  /** The process of each connection that was begun, in order. */
  async connections(): Promise<number[]> {
    const text = await readFile(join(this.#folder, 'calls'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  }

  /** Resolves when so many were begun. */
  async untilConnections(count: number): Promise<void> {
    const endAt = performance.now() + connectionsMsMax;
    while ((await this.connections()).length < count) {
      if (performance.now() > endAt) throw new Error(`no ${count} connections in time`);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  /** The processes of `mq connect` on the host. Linux only. */
  async relays(): Promise<number[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => {
        const [words, environment] = await Promise.all(
          ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
        );
        const isOurs = environment?.includes(this.#socketPath) && words?.endsWith('mq.js\0connect\0');
        return isOurs ? [Number(pid)] : [];
      }),
    );
    return found.flat();
  }

  async close(): Promise<void> {
    this.#shared?.kill('SIGTERM');
    await this.#shared?.ended;
    this.#sshd.kill('SIGTERM');
    await this.#sshd.ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
