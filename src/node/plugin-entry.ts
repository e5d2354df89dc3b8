/**
 * The plugin author's entry on Node: the neutral one and `serve`.
 *
 * @packageDocumentation
 */
export * from '../plugin/index.js';
export { type ServeOptions, serve } from './serve.js';
