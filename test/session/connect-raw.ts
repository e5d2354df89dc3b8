import { acceptHandshake, performHandshake } from '../../src/session/handshake.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { RawPeer } from './raw-peer.js';
import { admitted, createSide, hello, type PairOptions, type Side } from './session-pair.js';

export interface RawPair {
  readonly clock: SimulatedClock;
  readonly pair: MemoryPair;
  /** The real session. */
  readonly side: Side;
  /** The other end: it may break every rule. */
  readonly raw: RawPeer;
}

/** A real session on one side, after the handshake, and a raw end on the other. `pair.faults[0]` is always the direction from host to peer. */
export async function connectRaw(which: 'host' | 'peer', options: PairOptions = {}): Promise<RawPair> {
  const clock = options.clock ?? new SimulatedClock();
  const pair = createMemoryPair({ clock, seed: options.seed ?? 1, highWaterMark: options.highWaterMark ?? 65_536 });
  const { side, establish } = createSide(which, pair, clock, options);
  const raw = new RawPeer(pair[which === 'host' ? 1 : 0]);
  const { connection } = side;
  if (which === 'host') {
    raw.send({ kind: 'hello', fields: hello });
    await acceptHandshake({ connection, clock, admit: () => admitted, establish });
  } else {
    raw.send({ kind: 'welcome', fields: { ...admitted, version: 1, features: [] } });
    await performHandshake({ connection, clock, hello, establish });
  }
  await clock.settle();
  raw.messages.length = 0;
  raw.sizes.length = 0;
  return { clock, pair, side, raw };
}
