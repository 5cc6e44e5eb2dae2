// Which boards `mq lock` and `mq with` are asked for: one, or several in one step. Pure.
import type { RequestOf } from '../../protocol/operations.ts';
import { misuse } from '../options.ts';

export interface WantedBoards extends Pick<RequestOf<'submit'>, 'target' | 'count' | 'also'> {
  /** As a person reads it: `2 of x86_pool + sabre`. */
  readonly text: string;
}

export const boardOptions = { count: { kind: 'text' }, need: { kind: 'list' } } as const;

interface BoardOptions {
  readonly words: readonly string[];
  readonly texts: { get(name: 'count'): string | undefined };
  readonly lists: { get(name: 'need'): readonly string[] | undefined };
}

/** What the server takes of one target. */
const countMax = 64;

/**
 * Words are targets, one board of each; `--count` is for the only one; `--need TARGET=N` adds N of another.
 * Throws BAD_REQUEST that says what is wrong.
 */
export function wantedBoards(command: string, { words, texts, lists }: BoardOptions): WantedBoards {
  const count = texts.get('count');
  const needs = lists.get('need') ?? [];
  if (count !== undefined && words.length !== 1)
    throw misuse(command, '--count goes with one target; of several, say --need TARGET=N for each.');
  const all = [
    ...words.map((target) => ({
      target,
      count: count === undefined ? 1 : countOf(command, '--count', count),
    })),
    ...needs.map((need) => parseNeed(command, need)),
  ];
  const [first, ...also] = all;
  if (!first) throw misuse(command, 'Which board or pool?');
  const text = all.map((one) => (one.count === 1 ? one.target : `${one.count} of ${one.target}`)).join(' + ');
  return {
    text,
    target: first.target,
    ...(first.count === 1 ? {} : { count: first.count }),
    ...(also.length === 0 ? {} : { also }),
  };
}

/** The last `=` parts them: a target may be `arch=x86`. */
function parseNeed(command: string, text: string): { target: string; count: number } {
  const at = text.lastIndexOf('=');
  if (at < 1) throw misuse(command, `--need takes TARGET=N, such as x86_pool=2; '${text}' is none.`);
  return { target: text.slice(0, at), count: countOf(command, '--need', text.slice(at + 1)) };
}

function countOf(command: string, option: string, text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= countMax) return count;
  throw misuse(command, `${option} takes a whole number from 1 to ${countMax}; '${text}' is none.`);
}
