/**
 * The plugin author's entry on Node: the neutral one and `serve`.
 *
 * @packageDocumentation
 */
export * from '../plugin/index.js';
export { serve } from './serve.js';
