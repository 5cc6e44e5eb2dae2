/** Mail to holders, from the lab's file to what the server uses. Pure. */
import type { MailConfig, MailRouteConfig } from '../../protocol/mail-config.ts';
import type { SourceLab } from './schema/lab.ts';
import { parseDurationSeconds } from './units.ts';

type SourceMail = NonNullable<SourceLab['mail']>;

const fourHours = 4 * 60 * 60;
const ports = { starttls: 587, implicit: 465, none: 25 } as const;

/** The mapping must have passed checkMail. */
export function resolveMail(mail: SourceMail): MailConfig {
  const seconds = (text: string | undefined) => (text && parseDurationSeconds(text)) || fourHours;
  return {
    from: mail.from,
    route: resolveRoute(mail),
    ...(mail.domain === undefined ? {} : { domain: mail.domain }),
    addresses: { ...mail.addresses },
    firstAfterSeconds: seconds(mail.first_after),
    everySeconds: seconds(mail.every),
    subject: mail.subject ?? '{board} is still yours',
  };
}

function resolveRoute({ smtp, sendmail }: SourceMail): MailRouteConfig {
  if (sendmail !== undefined) return { kind: 'sendmail', path: sendmail };
  if (smtp === undefined) throw new Error('checkMail let mail pass without a way out');
  const { host, user, password, tls = 'starttls' } = smtp;
  return {
    kind: 'smtp',
    host,
    port: smtp.port ?? ports[tls],
    tls,
    ...(user === undefined || password === undefined ? {} : { login: { user, password: { ...password } } }),
  };
}
