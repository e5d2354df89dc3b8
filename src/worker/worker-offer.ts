/** What a worker said about itself when it was loaded. */
export interface WorkerOffer {
  readonly methods: readonly string[];
  readonly streams: readonly string[];
  /** Patterns of the events that it handles. */
  readonly events: readonly string[];
}

const maxNames = 1_000;
const maxNameLength = 256;

/** Reads the answer to `plugin.load`. What a hostile worker says about itself is bounded before it is kept. */
export function readOffer(loaded: unknown): WorkerOffer {
  const { methods, streams, events } = (typeof loaded === 'object' && loaded !== null ? loaded : {}) as Record<string, unknown>;
  return { methods: names(methods), streams: names(streams), events: names(events) };
}

function names(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, maxNames).filter((name): name is string => typeof name === 'string' && name.length <= maxNameLength);
}
