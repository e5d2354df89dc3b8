import type { Clock } from '../../src/interfaces/platform.js';
import type { Connection } from '../../src/interfaces/transport.js';
import type { FaultControl } from './fault-control.js';
import { MemoryConnection } from './memory-connection.js';
import { MemoryLine } from './memory-line.js';
import { seededFraction } from './seeded-fraction.js';

/** Options of {@link createMemoryPair}. */
export interface MemoryPairOptions {
  /** Drives every delivery; a simulated clock makes the pair fully deterministic. */
  readonly clock: Clock;
  /** Numbers in [0, 1) for the places of cuts, delays and corruption. Default: a generator seeded with `seed`. */
  readonly fraction?: () => number;
  /** Seed of the default generator. Default 1. */
  readonly seed?: number;
  /** Bytes in flight in one direction from which on `send` returns false. Default 64 KiB. */
  readonly highWaterMark?: number;
  /** How long `close` waits until what was accepted is delivered and the other side has closed as well. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
  /** Descriptions of the first and the second end, as the respective other one sees them in `peer`. */
  readonly names?: readonly [string, string];
}

/**
 * The two ends of a pair. `faults[0]` steers the direction from the first to the second end, `faults[1]` the way back.
 */
export type MemoryPair = readonly [Connection, Connection] & { readonly faults: readonly [FaultControl, FaultControl] };

/**
 * Two connections that are joined in memory, with the behaviour of a socket pair: asynchronous, ordered, bounded by a high-water mark,
 * closed in order or lost. The bytes are copied, so neither side can see the other's memory.
 *
 * ```ts
 * const pair = createMemoryPair({ clock });
 * const [host, worker] = pair;
 * pair.faults[0].split(7);                 // the worker reads at most seven bytes at a time
 * pair.faults[1].cut({ deliverBytes: 3 }); // the worker dies in the middle of a frame
 * ```
 */
export function createMemoryPair(options: MemoryPairOptions): MemoryPair {
  const { clock, highWaterMark = 65_536, closeTimeoutMs = 2_000, names = ['memory:0', 'memory:1'] } = options;
  const fraction = options.fraction ?? seededFraction(options.seed ?? 1);
  const there = new MemoryLine(clock, fraction);
  const back = new MemoryLine(clock, fraction);
  const shared = { clock, highWaterMark, closeTimeoutMs };
  const first = new MemoryConnection({ ...shared, outgoing: there, incoming: back, peer: { description: names[1] } });
  const second = new MemoryConnection({ ...shared, outgoing: back, incoming: there, peer: { description: names[0] } });
  connect(there, first, second);
  connect(back, second, first);
  const ends: readonly [Connection, Connection] = [first, second];
  const faults: readonly [FaultControl, FaultControl] = [faultControl(there, back), faultControl(back, there)];
  return Object.assign(ends, { faults });
}

function connect(line: MemoryLine, writer: MemoryConnection, reader: MemoryConnection): void {
  line.connect({
    onBytes: (chunk) => reader.receive(chunk),
    onDelivered: () => writer.delivered(),
    onEnd: (end) => {
      reader.receiveEnd(end);
      writer.flushed();
    },
    onReaderGone: () => writer.readerGone(),
  });
}

function faultControl(line: MemoryLine, opposite: MemoryLine): FaultControl {
  return {
    get bufferedBytes() {
      return line.bufferedBytes;
    },
    delay: (delay) => line.setDelay(delay),
    split: (maxPieceBytes) => line.setSplit(maxPieceBytes),
    merge: (on) => line.setMerge(on),
    stall: (afterBytes = 0) => line.setAllowance(afterBytes),
    resume: () => line.setAllowance(Number.POSITIVE_INFINITY),
    corruptNext: () => line.setCorruptNext(),
    dropNext: () => line.setDropNext(),
    fence: () => line.fence(),
    end: () => line.end('ended'),
    cut: (options = {}) => {
      line.lose(options.deliverBytes);
      opposite.lose();
    },
  };
}
