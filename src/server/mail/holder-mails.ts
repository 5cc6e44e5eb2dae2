// Mail to whoever holds a board for long: after a while, and again after each further while. One look a minute at the
// locks that are held; nothing here waits for anything else, and nothing waits for it.
//
// Of mails that became due while the server or its mail server was down only the latest is sent. A mail server that takes
// nothing is asked again after a minute, then after two, up to an hour.
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { readSecretAt } from '../../platform/secret.ts';
import { MailError, type MailRoute, sendMail } from '../../platform/send-mail.ts';
import { addressOf, type MailConfig, type MailRouteConfig } from '../../protocol/mail-config.ts';
import type { HeldLock } from './held-locks.ts';
import { wordMail } from './mail-text.ts';
import { SentMails } from './sent-mails.ts';

const lookEveryMs = 60_000;
const retryMs = 60_000;
const retryMsMax = 60 * 60_000;
/** Users without an address, and addresses that are refused, that were said in the log. */
const toldMax = 10_000;

export interface HolderMailsOptions {
  /** As it is now; undefined: no mail. */
  readonly config: () => { readonly lab: string; readonly mail: MailConfig | undefined };
  readonly readLocks: () => Promise<readonly HeldLock[]>;
  /** Scheduler milliseconds, which locks count in. */
  readonly now: () => number;
  readonly clock: Clock;
  /** The file that says who had which mail. */
  readonly path: string;
  readonly logger: Logger;
}

export class HolderMails {
  readonly #options: HolderMailsOptions;
  readonly #stop = new AbortController();
  readonly #sent: SentMails;
  readonly #told = new Set<string>();
  #callOff: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();
  #failures = 0;
  /** The mail server is asked no more before this moment (monotonic). */
  #quietUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: HolderMailsOptions) {
    this.#options = options;
    this.#sent = new SentMails(options.path);
  }

  start(): void {
    this.#callOff = this.#options.clock.setTimer(lookEveryMs, () => {
      this.#looking = this.#lookOnce().finally(() => {
        if (!this.#stop.signal.aborted) this.start();
      });
    });
  }

  /** Resolves when the look under way is over. */
  get settled(): Promise<void> {
    return this.#looking;
  }

  /** Gives up the mail that is being sent: it is sent again after the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#callOff();
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { config, clock, logger, readLocks } = this.#options;
    const { lab, mail } = config();
    if (!mail || clock.nowMs() < this.#quietUntilMs) return;
    try {
      const locks = await readLocks();
      await this.#sent.keep(locks);
      for (const lock of locks) {
        if (this.#stop.signal.aborted) return;
        await this.#remind(lock, lab, mail);
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const waitMs = Math.min(retryMs * 2 ** this.#failures, retryMsMax);
      this.#failures += 1;
      this.#quietUntilMs = clock.nowMs() + waitMs;
      logger.warn('no mail gets through now', { error: String(error), retrySeconds: waitMs / 1000 });
    }
  }

  /** Rejects where no mail gets through now. */
  async #remind(lock: HeldLock, lab: string, mail: MailConfig): Promise<void> {
    const heldMs = this.#options.now() - lock.claimedAt;
    const lateMs = heldMs - mail.firstAfterSeconds * 1000;
    const count = lateMs < 0 ? 0 : Math.floor(lateMs / (mail.everySeconds * 1000)) + 1;
    if (count <= (await this.#sent.countOf(lock))) return;
    const to = addressOf(mail, lock.user);
    if (to === undefined) {
      const hint = 'name it under mail.addresses';
      this.#tellOnce(`user ${lock.user}`, 'a holder has no mail address', { user: lock.user, hint });
      return;
    }
    const wording = { lab, subject: mail.subject, everySeconds: mail.everySeconds };
    const words = wordMail(lock, { ...wording, now: this.#options.clock.wallMs() });
    const messageId = messageIdOf(lock, count, mail.from);
    if (!(await this.#send(mail, { to, messageId, ...words }))) return;
    await this.#sent.note(lock, count);
  }

  /** Whether this mail is done with. Rejects where no mail gets through now. */
  async #send(
    mail: MailConfig,
    message: { to: string; subject: string; text: string; messageId: string },
  ): Promise<boolean> {
    const { clock, logger } = this.#options;
    const { to } = message;
    try {
      const route = await openRoute(mail.route);
      const date = new Date(clock.wallMs());
      await sendMail(route, { from: mail.from, date, ...message }, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof MailError) || error.scope === 'route') throw error;
      // The mail server is there, and has something against this one.
      this.#tellOnce(`${error.scope} ${to}`, 'a mail was not taken', { to, error: error.message });
      return error.scope === 'address';
    }
    this.#failures = 0;
    this.#told.delete(`mail ${to}`);
    logger.info('a holder was reminded', { to, subject: message.subject });
    return true;
  }

  #tellOnce(what: string, message: string, fields: Record<string, unknown>): void {
    if (this.#told.has(what) || this.#told.size >= toldMax) return;
    this.#told.add(what);
    this.#options.logger.warn(message, fields);
  }
}

async function openRoute(route: MailRouteConfig): Promise<MailRoute> {
  if (route.kind === 'sendmail') return route;
  const { login, ...server } = route;
  if (login === undefined) return server;
  return { ...server, login: { user: login.user, password: await readSecretAt(login.password) } };
}

/** Of the same lock the same mail has the same. */
function messageIdOf(lock: HeldLock, count: number, from: string): string {
  const domain = /@([A-Za-z0-9.-]+)/.exec(from)?.[1] ?? 'localhost';
  return `<mq.${lock.token}.${Math.floor(lock.claimedAt)}.${count}@${domain}>`;
}
