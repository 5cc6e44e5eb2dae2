// What a mail to a holder says. Keys and notes are other people's text: it stands in the body only, with what could forge
// a line or turn writing round shown as an escape. Pure.
import { unsafeCharacters } from '../../platform/unsafe-text.ts';
import { clockTime } from '../text.ts';
import type { HeldLock } from './held-locks.ts';

export interface MailWording {
  readonly lab: string;
  /** May hold {board} and {lab}. */
  readonly subject: string;
  readonly everySeconds: number;
  /** Wall clock. */
  readonly now: number;
}

export function wordMail(lock: HeldLock, about: MailWording): { subject: string; text: string } {
  const subject = about.subject.replaceAll('{board}', lock.board).replaceAll('{lab}', about.lab);
  return { subject, text: `${bodyLines(lock, about).join('\n')}\n` };
}

function bodyLines(lock: HeldLock, about: MailWording): string[] {
  const { board, key, note, endsWallAt, heldWallAt, waiting } = lock;
  const option = key === '0' ? '' : ` --key ${quoted(key)}`;
  // One that has no end is to keep none.
  const hold = endsWallAt === undefined ? '0' : durationWord(about.everySeconds);
  return [
    `You hold ${board} of ${about.lab} since ${clockTime(heldWallAt, about.now)}.`,
    ...(key === '0' ? [] : [`Key:   ${escaped(key)}`]),
    ...(note === '' ? [] : [`Note:  ${escaped(note)}`]),
    ...(endsWallAt === undefined ? [] : [`Until: ${clockTime(endsWallAt, about.now)}`]),
    waiting === 0 ? 'Nobody waits for it.' : `Requests that wait for it: ${waiting}.`,
    '',
    'To give it back:',
    `    mq unlock ${board}${option}`,
    'To keep it:',
    `    mq extend ${board}${option} --hold ${hold}`,
    '',
    `If neither is done, the next mail comes in ${spanText(about.everySeconds)}.`,
  ];
}

/** As `--hold` takes it. */
function durationWord(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** `4 hours`, `90 minutes`. */
function spanText(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** As a shell takes it. What can't be typed is left to the reader, who has it in the line above. */
function quoted(key: string): string {
  if (/^[A-Za-z0-9_.,:@%+=/-]+$/.test(key)) return key;
  return escaped(key) === key ? `'${key.replaceAll("'", "'\\''")}'` : 'KEY';
}

/** Also halves of pairs. */
function escaped(text: string): string {
  const asCode = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(unsafeCharacters, asCode).replace(/\p{Cs}/gu, asCode);
}
