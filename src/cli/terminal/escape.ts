// Text from other people, made safe to show: what could move the cursor, forge a line or turn writing round is
// shown as an escape. Pure.
import { unsafeCharacters } from '../../platform/unsafe-text.ts';

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

export function escapeText(text: string): string {
  return text.replace(
    unsafeCharacters,
    (character) => names[character] ?? escapeCode(character.charCodeAt(0)),
  );
}

function escapeCode(code: number): string {
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
