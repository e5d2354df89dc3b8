import type { ScopeKind } from './capability.js';
import { oneOf } from './scope-choice.js';
import { hostPatterns } from './scope-hosts.js';
import { keyPrefixes } from './scope-keys.js';
import { names } from './scope-names.js';
import { pathPrefixes } from './scope-paths.js';
import { ports } from './scope-ports.js';
import { type TopicPatternOptions, topicPatterns } from './scope-topics.js';

/** Makes the kinds of scope field that come with the library. docs/capabilities.md describes their pattern languages. */
export interface Scopes {
  /** Exact names, or `*` for all. */
  names(): ScopeKind;
  /** Host names and addresses: `api.example.com`, `*.example.com`, `10.0.0.1`, or `*`. */
  hostPatterns(): ScopeKind;
  /** Absolute paths and all that is below them; `/` is everything. */
  pathPrefixes(): ScopeKind;
  /** Topics of dot segments, `*` for one and `**` for the rest. An attempt may name a pattern, unless `attempts` is `topics`. */
  topicPatterns(options?: TopicPatternOptions): ScopeKind;
  /** Keys, or prefixes that end with `*`. */
  keyPrefixes(): ScopeKind;
  /** Ports and ranges: `443`, `8000-8099`, or `*`. */
  ports(): ScopeKind;
  /** One of the given words, or `*` for all of them. */
  oneOf(words: readonly string[]): ScopeKind;
}

/** The kinds of scope field that come with the library. */
export const scopes: Scopes = Object.freeze({ names, hostPatterns, pathPrefixes, topicPatterns, keyPrefixes, ports, oneOf });
