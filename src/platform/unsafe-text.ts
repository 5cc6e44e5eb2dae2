// Which characters of somebody else's text a terminal would obey, or would show as something that was not written. Pure.

/**
 * C0 and C1 controls and DEL; line and paragraph separators; marks that turn the direction of writing. With the flag `g`:
 * for `replace`.
 */
export const unsafeCharacters = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The same JSON, without such characters but the line feeds between its parts. */
export function safeJson(json: string): string {
  return json.replace(unsafeCharacters, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
