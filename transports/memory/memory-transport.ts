import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Connection, Transport, TransportListener } from '../../src/interfaces/transport.js';
import { createMemoryPair, type MemoryPair, type MemoryPairOptions } from './memory-pair.js';
import { seededFraction } from './seeded-fraction.js';

/** Options of {@link memoryTransport}: those of every pair that it makes, and where to get hold of the pairs. */
export interface MemoryTransportOptions extends Omit<MemoryPairOptions, 'names'> {
  /**
   * Told of every pair before either side is: the first end is the dialler's, and `pair.faults` steers both directions.
   * @param address - where the second end listens.
   */
  readonly onPair?: (pair: MemoryPair, address: string) => void;
}

/**
 * A transport within one process. Its addresses are `memory:NAME`, known to this object and to no other; `listen('')` takes a free one.
 *
 * ```ts
 * const transport = memoryTransport({ clock, onPair: (pair) => pair.faults[1].delay(20) });
 * const listener = await transport.listen('memory:host', (connection) => serveIt(connection));
 * const connection = await transport.dial('memory:host');
 * ```
 *
 * - `dial` resolves at the end of a turn of the clock, after the listener was given its end. It rejects with `CONNECTION_LOST` where nobody listens,
 *   with `CANCELLED` where `signal` is aborted, and with `INVALID_ARGUMENT` for an address that is none.
 * - `listen` rejects with `INVALID_STATE` if the name is taken.
 */
export function memoryTransport(options: MemoryTransportOptions): Transport {
  const { onPair, ...pairOptions } = options;
  const listeners = new Map<string, { readonly accept: (connection: Connection) => void }>();
  // One source for all pairs: each gets other faults, and the same seed still gives the same run.
  const fraction = options.fraction ?? seededFraction(options.seed ?? 1);
  let dialled = 0;
  let listened = 0;

  const connect = (address: string): Connection => {
    const listener = listeners.get(address);
    if (listener === undefined) {
      throw new WorkerRuntimeError('CONNECTION_LOST', `Nobody listens at ${address}; call listen on the same transport object first.`, {
        details: { address },
      });
    }
    dialled += 1;
    const pair = createMemoryPair({ ...pairOptions, fraction, names: [`${address}, dialler ${dialled}`, address] });
    onPair?.(pair, address);
    try {
      listener.accept(pair[1]);
    } catch (error) {
      pair[1].close({ abort: true });
      throw new WorkerRuntimeError('CONNECTION_LOST', `The listener at ${address} failed to take the connection.`, { cause: error });
    }
    return pair[0];
  };

  return {
    name: 'memory',
    async dial(address, { signal } = {}) {
      checkAddress(address);
      await new Promise<void>((resolve) => options.clock.endOfTurn(resolve));
      if (signal?.aborted) throw new WorkerRuntimeError('CANCELLED', `Dialling ${address} was given up.`, { cause: signal.reason });
      return connect(address);
    },
    async listen(wanted, accept): Promise<TransportListener> {
      if (wanted !== '') checkAddress(wanted);
      let address = wanted;
      while (address === '' || (wanted === '' && listeners.has(address))) {
        listened += 1;
        address = `memory:${listened}`;
      }
      if (listeners.has(address))
        throw new WorkerRuntimeError('INVALID_STATE', `Somebody listens at ${address} already; close that listener, or take another name.`);
      const entry = { accept };
      listeners.set(address, entry);
      return {
        address,
        async close() {
          // The name may be somebody else's by now.
          if (listeners.get(address) === entry) listeners.delete(address);
        },
      };
    },
  };
}

function checkAddress(address: string): void {
  if (/^memory:./.test(address)) return;
  throw new WorkerRuntimeError('INVALID_ARGUMENT', `${JSON.stringify(address)} is no address of the memory transport; write memory:NAME.`);
}
