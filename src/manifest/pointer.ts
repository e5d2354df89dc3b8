/** The way from the root of a document to a value: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[];

/** A path as JSON Pointer (RFC 6901): `/requires/plugins/0/id`. The root is the empty text. */
export function toPointer(path: Path): string {
  return path.map((segment) => `/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
