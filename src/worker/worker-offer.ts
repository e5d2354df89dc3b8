import { topicPatterns } from '../capabilities/scope-topics.js';

/** What a worker said about itself when it was loaded. */
export interface WorkerOffer {
  /** Names that it answers calls of; at most 1,000. */
  readonly methods: readonly string[];
  /** Names that it answers streams of; at most 1,000. */
  readonly streams: readonly string[];
  /** Patterns of the events that it handles; at most 1,000. */
  readonly events: readonly string[];
}

const maxNames = 1_000;
/** What can be called at all (docs/protocol.md, section 3); the rest is noise, or meant to be mistaken for something else. */
const methodForm = /^[A-Za-z_][A-Za-z0-9_./-]{0,255}$/;
const topics = topicPatterns();

/** Reads the answer to `plugin.load`. What a hostile worker says about itself is bounded and checked before it is kept and shown. */
export function readOffer(loaded: unknown): WorkerOffer {
  const { methods, streams, events } = (typeof loaded === 'object' && loaded !== null ? loaded : {}) as Record<string, unknown>;
  return {
    methods: names(methods, (name) => methodForm.test(name)),
    streams: names(streams, (name) => methodForm.test(name)),
    events: names(events, (pattern) => topics.isValue(pattern)),
  };
}

function names(value: unknown, isAcceptable: (name: string) => boolean): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxNames).filter((name): name is string => typeof name === 'string' && isAcceptable(name));
}
