// What a terminal or a log viewer acts on instead of showing it: C0 and C1 controls (tab excepted), line and paragraph separators, the
// controls that reorder text, invisible marks, and lone surrogates.
const unprintable = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|\p{Surrogate}/gu;

/**
 * Makes text of a worker fit for a log: characters that move the cursor, colour, hide, reorder or begin a new line become visible escapes
 * such as `\x1b`, so that a plugin can neither forge a log line nor command the terminal of whoever reads it.
 */
export function printableText(text: string): string {
  return text.replace(unprintable, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
