import type { HelloFields, Message, RequestMessage } from '../../src/messages/message.js';
import { RawPeer } from '../session/raw-peer.js';
import type { Behaviour, FakeWorker } from './support.js';

/** A worker that keeps no rule by itself. */
export interface RawWorker {
  readonly worker: FakeWorker;
  readonly peer: RawPeer;
}

export interface RawScript {
  /** Fields of its hello; `null`: it says none. */
  readonly hello?: Partial<HelloFields> | null;
  /** What it answers to `plugin.load`. */
  readonly load?: unknown;
  /** Called with each request beside `plugin.load` and the hooks, which are answered. */
  readonly onRequest?: (request: RequestMessage, raw: RawWorker) => void;
  readonly onMessage?: (message: Message, raw: RawWorker) => void;
  /** Whether it answers pings. Default true. */
  readonly pongs?: boolean;
}

/** A worker that says hello, is loaded, and then does what the test makes it do. */
export function rawWorker({ hello = {}, load = {}, onRequest, onMessage, pongs = true }: RawScript = {}): {
  readonly behaviour: Behaviour;
  readonly raw: RawWorker[];
} {
  const raw: RawWorker[] = [];
  const behaviour: Behaviour = (worker) => {
    const peer = new RawPeer(worker.connection);
    const self = { worker, peer };
    raw.push(self);
    peer.onMessage = (message) => {
      onMessage?.(message, self);
      if (message.kind === 'ping' && pongs) peer.send({ kind: 'pong', nonce: message.nonce });
      if (message.kind !== 'request') return;
      if (message.method === 'plugin.load') peer.send({ kind: 'response', id: message.id, error: undefined, result: load });
      else if (message.method === 'plugin.unload' || message.method === 'plugin.install')
        peer.send({ kind: 'response', id: message.id, error: undefined, result: null });
      else onRequest?.(message, self);
    };
    if (hello === null) return;
    peer.send({
      kind: 'hello',
      fields: { versions: [1], role: 'worker', sdk: { name: 'raw', version: '0', language: 'test' }, features: [], requiredFeatures: [], ...hello },
    });
  };
  return { behaviour, raw };
}
