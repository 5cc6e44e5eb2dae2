// Mail to holders, as a lab's configuration resolves it. Types and pure functions only; imports nothing.

export interface MailConfig {
  /** `mq@lab.example`, or with a name before it. */
  from: string;
  route: MailRouteConfig;
  /** Holds `user@domain` where `addresses` has no other. */
  domain?: string;
  /** By user. */
  addresses: Record<string, string>;
  /** From when the holder took the lock, or last extended it. */
  firstAfterSeconds: number;
  everySeconds: number;
  /** May hold {board} and {lab}. */
  subject: string;
}

export type MailRouteConfig =
  | {
      kind: 'smtp';
      host: string;
      port: number;
      tls: 'starttls' | 'implicit' | 'none';
      login?: { user: string; password: { env: string } | { file: string } };
    }
  | { kind: 'sendmail'; path: string };

/** The address of a user, or undefined where none can be told. */
export function addressOf(mail: Pick<MailConfig, 'domain' | 'addresses'>, user: string): string | undefined {
  if (Object.hasOwn(mail.addresses, user)) return mail.addresses[user];
  // What can stand before an @ without quotes; of longer ones no server makes a mailbox.
  const isPlain = /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}$/.test(user);
  return mail.domain !== undefined && isPlain ? `${user}@${mail.domain}` : undefined;
}
