import { fromDuplex } from '../../transports/stdio/index.js';
import { socketPair } from './socket-pair.js';
import { transportBehaviour } from './transport-behaviour.js';

transportBehaviour('stdio (fromDuplex over a Unix socket)', {
  async open({ closeTimeoutMs }) {
    const { left, right, dispose } = await socketPair();
    return {
      left: fromDuplex(left, { peer: { description: 'right' }, closeTimeoutMs }),
      right: fromDuplex(right, { peer: { description: 'left' }, closeTimeoutMs }),
      dispose,
    };
  },
});
