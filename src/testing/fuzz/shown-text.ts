// What must not reach somebody's terminal in text that others wrote. Worked out by itself, so that it shares no mistake
// with what the product escapes. Pure.

/** Line feeds end lines. */
const lineFeed = 0x0a;

/** The first thing in the text that a terminal would obey, or that turns writing round; undefined where there is none. */
export function findControl(text: string): string | undefined {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== lineFeed && isControl(code)) return `U+${code.toString(16).padStart(4, '0')} at ${at}`;
  }
  return undefined;
}

function isControl(code: number): boolean {
  const isC0 = code < 0x20;
  const isC1 = code >= 0x7f && code <= 0x9f;
  const endsLine = code === 0x2028 || code === 0x2029;
  const turns =
    code === 0x061c ||
    code === 0x200e ||
    code === 0x200f ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069);
  return isC0 || isC1 || endsLine || turns;
}
