// Starts the mails to holders of a lab that runs.
import { systemClock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { LabServer } from '../../server/lab-server.ts';
import { heldLocks } from '../../server/mail/held-locks.ts';
import { HolderMails } from '../../server/mail/holder-mails.ts';

/** `path`: the file that says who had which mail. Stop it before the lab. */
export function holderMails(lab: LabServer, path: string, logger: Logger): HolderMails {
  const mails = new HolderMails({
    config: () => ({ lab: lab.config.name, mail: lab.config.mail }),
    readLocks: () => lab.core.read(heldLocks),
    now: () => lab.clock.now(),
    clock: systemClock,
    path,
    logger: logger.child({ part: 'mail' }),
  });
  mails.start();
  return mails;
}
