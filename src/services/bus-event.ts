/** An event of the bus. Subscribers share it, so that none may change it. */
export interface BusEvent {
  /** Unique. */
  readonly id: string;
  /** Dot segments, as `mail.received`. */
  readonly topic: string;
  /** Id of the plugin that published it, or `host`. */
  readonly source: string;
  /** ISO 8601 time. */
  readonly timestamp: string;
  /** What the publisher sent along; unchecked, and shared by all subscribers. */
  readonly payload: unknown;
  /** What the publisher gave, to find what belongs together. From a plugin at most 256 characters. */
  readonly correlationId?: string | undefined;
  /** How many events this subscriber missed before this one. */
  readonly missed?: number | undefined;
}
