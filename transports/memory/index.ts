export type { Delay, FaultControl } from './fault-control.js';
export { createMemoryPair, type MemoryPair, type MemoryPairOptions } from './memory-pair.js';
