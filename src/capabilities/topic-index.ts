import type { PatternIndex } from './capability.js';

/** One segment's place in the tree of patterns. */
interface TopicNode<Entry> {
  readonly literals: Map<string, TopicNode<Entry>>;
  /** Below `*`. */
  star: TopicNode<Entry> | undefined;
  /** Of patterns that end here. */
  readonly entries: Entry[];
  /** Of patterns that end here with `**`. */
  readonly rest: Entry[];
}

type Visit<Entry> = (entry: Entry) => boolean;

/** A tree of topic patterns by segment: a lookup follows the segments of the value and visits only what fits. */
export function createTopicIndex<Entry>(): PatternIndex<Entry> {
  const root = createNode<Entry>();
  return {
    add(pattern, entry) {
      let node = root;
      for (const segment of pattern.split('.')) {
        if (segment === '**') {
          node.rest.push(entry);
          return;
        }
        node = segment === '*' ? starOf(node) : literalOf(node, segment);
      }
      node.entries.push(entry);
    },
    findMatching: (value, visit) => findMatching(root, value.split('.'), 0, visit),
    findOverlapping: (value, visit) => findOverlapping(root, value.split('.'), 0, visit),
  };
}

function createNode<Entry>(): TopicNode<Entry> {
  return { literals: new Map(), star: undefined, entries: [], rest: [] };
}

function starOf<Entry>(node: TopicNode<Entry>): TopicNode<Entry> {
  node.star ??= createNode();
  return node.star;
}

function literalOf<Entry>(node: TopicNode<Entry>, segment: string): TopicNode<Entry> {
  const known = node.literals.get(segment);
  if (known !== undefined) return known;
  const created = createNode<Entry>();
  node.literals.set(segment, created);
  return created;
}

function findMatching<Entry>(node: TopicNode<Entry>, segments: readonly string[], at: number, visit: Visit<Entry>): boolean {
  const segment = segments[at];
  if (segment === undefined) return node.entries.some(visit);
  if (node.rest.some(visit)) return true;
  if (segment === '**') return false;
  const literal = segment === '*' ? undefined : node.literals.get(segment);
  if (literal !== undefined && findMatching(literal, segments, at + 1, visit)) return true;
  return node.star !== undefined && findMatching(node.star, segments, at + 1, visit);
}

function findOverlapping<Entry>(node: TopicNode<Entry>, segments: readonly string[], at: number, visit: Visit<Entry>): boolean {
  const segment = segments[at];
  if (segment === undefined) return node.entries.some(visit);
  if (node.rest.some(visit)) return true;
  if (segment === '**') return findBelow(node, visit);
  if (segment !== '*') {
    const literal = node.literals.get(segment);
    if (literal !== undefined && findOverlapping(literal, segments, at + 1, visit)) return true;
  } else {
    for (const child of node.literals.values()) if (findOverlapping(child, segments, at + 1, visit)) return true;
  }
  return node.star !== undefined && findOverlapping(node.star, segments, at + 1, visit);
}

function findBelow<Entry>(node: TopicNode<Entry>, visit: Visit<Entry>): boolean {
  for (const child of node.literals.values()) if (findAt(child, visit)) return true;
  return node.star !== undefined && findAt(node.star, visit);
}

function findAt<Entry>(node: TopicNode<Entry>, visit: Visit<Entry>): boolean {
  return node.entries.some(visit) || node.rest.some(visit) || findBelow(node, visit);
}
