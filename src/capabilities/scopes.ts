import { oneOf } from './scope-choice.js';
import { hostPatterns } from './scope-hosts.js';
import { keyPrefixes } from './scope-keys.js';
import { names } from './scope-names.js';
import { pathPrefixes } from './scope-paths.js';
import { ports } from './scope-ports.js';
import { topicPatterns } from './scope-topics.js';

/** The kinds of scope field that come with the library; each documents its pattern language. */
export const scopes = Object.freeze({ names, hostPatterns, pathPrefixes, topicPatterns, keyPrefixes, ports, oneOf });
