import type { Path } from './pointer.js';

/** A value of the document with the offset where it begins. */
export type SourceNode = SourceMap | SourceList | SourceScalar;

/** A map, its entries in the order of the document. `offset` is that of its first key, or of its `{`. */
export interface SourceMap {
  readonly kind: 'map';
  readonly offset: number;
  readonly entries: ReadonlyMap<string, SourceEntry>;
}
/** An entry of a map. */
export interface SourceEntry {
  readonly keyOffset: number;
  readonly node: SourceNode;
}
/** A list. */
export interface SourceList {
  readonly kind: 'list';
  readonly offset: number;
  readonly items: readonly SourceNode[];
}
/** A text, number, boolean or nothing. */
export interface SourceScalar {
  readonly kind: 'scalar';
  readonly offset: number;
  readonly value: string | number | boolean | null;
  /** The value as it was written, without quotes: `3.10` of the number 3.1. */
  readonly source: string;
}

/** Line and column, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A document that was read, and the way back from its values to lines and columns. */
export class SourceTree {
  readonly root: SourceNode;
  readonly #lineStarts: readonly number[];

  constructor(text: string, root: SourceNode) {
    this.root = root;
    this.#lineStarts = findLineStarts(text);
  }

  /** The value at `path`; undefined when there is none. */
  nodeAt(path: Path): SourceNode | undefined {
    let node: SourceNode | undefined = this.root;
    for (const segment of path) node = childOf(node, segment);
    return node;
  }

  /** Where the value at `path` begins; when there is none, where the nearest map or list around it begins. */
  valuePosition(path: Path): Position {
    let node: SourceNode = this.root;
    for (const segment of path) {
      const child = childOf(node, segment);
      if (child === undefined) break;
      node = child;
    }
    return this.#position(node.offset);
  }

  /** Where the key of the entry at `path` begins; for items of a list and for missing entries as `valuePosition`. */
  keyPosition(path: Path): Position {
    const parent = this.nodeAt(path.slice(0, -1));
    const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
    return entry === undefined ? this.valuePosition(path) : this.#position(entry.keyOffset);
  }

  #position(offset: number): Position {
    return positionAt(this.#lineStarts, offset);
  }
}

/** The offsets at which the lines of `text` begin. Lines end with a line feed, as YAML and every editor have it. */
export function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Line and column of an offset. */
export function positionAt(lineStarts: readonly number[], offset: number): Position {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}

/**
 * The plain value of a node: objects without prototype (no key of a hostile document can reach one), lists, scalars.
 * An entry without value (`description:`) is left out, as if it were not there, unless `keepNull` is set.
 */
export function plainValue(node: SourceNode, keepNull = false): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item) => plainValue(item, keepNull));
  const plain: Record<string, unknown> = Object.create(null);
  for (const [key, { node: child }] of node.entries) {
    if (!keepNull && child.kind === 'scalar' && child.value === null) continue;
    plain[key] = plainValue(child, keepNull);
  }
  return plain;
}

function childOf(node: SourceNode | undefined, segment: string | number): SourceNode | undefined {
  if (node?.kind === 'map') return node.entries.get(String(segment))?.node;
  if (node?.kind === 'list' && typeof segment === 'number') return node.items[segment];
  return undefined;
}
