// Text from other people, made safe to show: what could move the cursor, forge a line or turn writing round is
// shown as an escape. Pure.

// C0 and C1 controls and DEL; line and paragraph separators; marks that turn the direction of writing.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const names: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

export function escapeText(text: string): string {
  return text.replace(unsafe, (character) => names[character] ?? escapeCode(character.charCodeAt(0)));
}

function escapeCode(code: number): string {
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
