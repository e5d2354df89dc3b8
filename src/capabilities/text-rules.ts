/** Characters that no value may hold: controls, lone surrogates, and the separators that end a line somewhere. */
const forbiddenInValues = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Patterns are read by a person who approves them, so invisible and direction-changing characters are refused there too. */
const forbiddenInPatterns = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Cf}]/u;

/** Plain printable ASCII, the common case: one fast test spares the Unicode ones. */
const printableAscii = /^[ -~]*$/;

/** Whether a concrete value has only characters that are safe to compare, store and log. */
export function isCleanValue(value: string): boolean {
  return printableAscii.test(value) || !forbiddenInValues.test(value);
}

/** Whether a pattern has only characters that a person can see. */
export function isCleanPattern(pattern: string): boolean {
  return printableAscii.test(pattern) || !forbiddenInPatterns.test(pattern);
}

/** Says which character is not allowed, in a form that shows it: `U+202E`. */
export function describeForbidden(text: string): string {
  const found = forbiddenInPatterns.exec(text)?.[0] ?? '\0';
  return `It holds the character U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}, which is not allowed here.`;
}

const needsEscape = /[\p{C}\p{Zl}\p{Zp}]/gu;
const maxQuotedLength = 200;
/** Printable ASCII without the quote and the backslash: needs no escape. */
const needsNothing = /^[ !#-[\]-~]*$/;

/** Puts text that may come from a plugin into quotes, so that it can neither end the line, nor the quotes, nor steer a terminal. */
export function quote(text: string): string {
  if (text.length <= maxQuotedLength && needsNothing.test(text)) return `"${text}"`;
  const cut = text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}…` : text;
  return `"${cut.replace(/["\\]/g, '\\$&').replace(needsEscape, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
