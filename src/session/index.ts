export type { Progress, SessionCallOptions } from './call-options.js';
export { CallStream } from './call-stream.js';
