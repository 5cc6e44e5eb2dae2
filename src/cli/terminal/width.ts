// How wide text is on a terminal. Pure.

/** Cuts the text to so many columns, with an ellipsis in the last where something is missing. */
export function fitWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  if (columns <= 0) return '';
  let width = 0;
  let fitted = '';
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns - 1) break;
    fitted += character;
  }
  return `${fitted}…`;
}

/** As `fitWidth`, for text that may hold colours (paint.ts): these take no room, and none is left open at the cut. */
export function fitPainted(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with it
  const parts = text.split(/(\u001b\[\d+m)/);
  const isCode = (part: string) => part.startsWith('\u001b[');
  if (textWidth(parts.filter((part) => !isCode(part)).join('')) <= columns) return text;
  let left = columns;
  let fitted = '';
  for (const part of parts) {
    if (isCode(part)) fitted += part;
    else if (left > 0 && textWidth(part) >= left) {
      // More text comes behind this part, or it is too long itself.
      fitted += fitWidth(`${part}…`, left);
      left = 0;
    } else if (left > 0) {
      fitted += part;
      left -= textWidth(part);
    }
  }
  return fitted;
}

/** Fills up with spaces, or cuts, to exactly so many columns. */
export function padWidth(text: string, columns: number): string {
  const fitted = fitWidth(text, columns);
  return fitted + ' '.repeat(Math.max(0, columns - textWidth(fitted)));
}

export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/** 0 for marks that sit on the letter before, 2 for the wide letters of East Asia and emoji, else 1. */
function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(
    character,
  ) || code >= 0x20000
    ? 2
    : 1;
}
