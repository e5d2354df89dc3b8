import { nodePlatform } from '../../src/node/node-platform.js';
import { createMemoryPair } from '../../transports/memory/index.js';
import { transportBehaviour } from './transport-behaviour.js';

const { clock } = nodePlatform();

transportBehaviour('memory', {
  async open({ closeTimeoutMs }) {
    const [left, right] = createMemoryPair({ clock, closeTimeoutMs });
    return { left, right };
  },
});

transportBehaviour('memory, cut, delayed and merged', {
  async open({ closeTimeoutMs }) {
    const pair = createMemoryPair({ clock, closeTimeoutMs, seed: 7 });
    for (const fault of pair.faults) {
      fault.split(4_096);
      fault.merge(true);
      fault.delay({ minMs: 0, maxMs: 1 });
    }
    return { left: pair[0], right: pair[1] };
  },
});
