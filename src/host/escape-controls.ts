/** C0 and C1 controls, separators that end a line somewhere, and characters that turn the direction of text. The tab does no harm. */
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const controlsButLineFeed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Makes a line harmless for a terminal and a log file: no line breaks, no escapes. */
export function escapeControls(text: string): string {
  return text.replace(controls, escapeOf);
}

/** The same for every text within plain data of bounded depth. Line breaks stay: a field is no line, and stacks have many. */
export function escapeControlsWithin(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(controlsButLineFeed, escapeOf);
  if (Array.isArray(value)) return value.map(escapeControlsWithin);
  // JSON knows no bigint: whoever writes the line as JSON would throw, and the plugin's words be lost.
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [escapeControls(key), escapeControlsWithin(part)]));
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
