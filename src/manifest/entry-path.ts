const maxSegments = 32;

/**
 * Reads the text of an entry point: a relative path with `/`, inside the folder. A `./` at its beginning is dropped.
 * Symbolic links are checked where the folder is at hand (`readPluginFolder`).
 */
export function readEntryPath(text: string): { readonly path: string } | { readonly repair: string } {
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) return { repair: 'must not hold control characters' };
  if (text.includes('\\')) return { repair: 'must be written with slashes, not with backslashes' };
  if (text.startsWith('/') || text.startsWith('~') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text))
    return { repair: 'must be relative to the folder of the plugin, as src/main.py' };
  const path = text.replace(/^(?:\.\/)+/, '');
  const segments = path.split('/');
  if (segments.includes('..')) return { repair: 'must not leave the folder of the plugin; remove ".."' };
  if (segments.some((segment) => segment === '' || segment === '.'))
    return { repair: 'must name a file, without empty or "." segments, as src/main.py' };
  // An interpreter would take it for an option.
  if (path.startsWith('-')) return { repair: 'must not begin with a hyphen; rename the file' };
  if (segments.some((segment) => segment !== segment.trim() || segment.endsWith('.')))
    return { repair: 'must not have segments that begin or end with a space or end with a dot' };
  if (segments.length > maxSegments) return { repair: `must have at most ${maxSegments} segments` };
  return { path };
}
