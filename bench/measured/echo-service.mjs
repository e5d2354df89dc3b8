// What every peer serves, on whatever it offers: methods and one-way messages by name, both ways. A peer that offers more (a stream with credit of
// its own) brings that in its own file instead.
import { chunkBytes, makeChunk } from './payload.mjs';

/** A chunk in a buffer of its own, which can be given away; made the cheapest way. */
function copyOf(chunk) {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  copy.set(chunk);
  return copy;
}

/** What may be under way of a stream whose peer has no flow control of its own. */
export const windowBytes = 4 * 1024 * 1024;

/**
 * @typedef {object} Wire What a peer's library offers.
 * @property {(method: string, params?: unknown) => Promise<any>} call
 * @property {(method: string, params?: unknown) => unknown} [notify] absent where it has no one-way messages
 * @property {(method: string, handler: (params: any) => void) => void} [onNotify]
 * @property {'base64' | undefined} [binaryAs] how bytes travel where the wire is text
 * @property {boolean} [handsOver] what is sent belongs to the receiver, so that a source makes a chunk for each item
 */

/** @param {Wire['binaryAs']} binaryAs @returns {{ pack(bytes: Uint8Array): unknown, unpack(value: any): Uint8Array }} */
export function binaryForm(binaryAs) {
  if (binaryAs === undefined) return { pack: (bytes) => bytes, unpack: (bytes) => bytes };
  return {
    pack: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    unpack: (text) => Buffer.from(text, 'base64'),
  };
}

/**
 * The methods and one-way messages that the other side serves.
 * @param {{ notify?: (method: string, params: unknown) => unknown, binaryAs?: 'base64' | undefined, handsOver?: boolean }} wire
 */
export function echoService({ notify, binaryAs, handsOver = false }) {
  const { pack, unpack } = binaryForm(binaryAs);
  const chunk = makeChunk();
  let events = 0;
  let credit = 0;
  const pump = () => {
    while (credit > 0) {
      credit -= chunkBytes;
      notify?.('chunk', pack(handsOver ? copyOf(chunk) : chunk));
    }
  };
  return {
    methods: {
      echo: (params) => params,
      // The bytes are taken out and put in again where the wire is text: an application has them as bytes.
      binary: (value) => pack(unpack(value)),
      received: () => events,
      streamStart() {
        credit = windowBytes;
        setImmediate(pump);
        return null;
      },
      streamStop() {
        credit = Number.NEGATIVE_INFINITY;
        return null;
      },
    },
    notifications: {
      event() {
        events += 1;
      },
      grant(bytes) {
        credit += bytes;
        pump();
      },
    },
  };
}

/** The workloads' view of a peer, for what its wire offers. @param {Wire} wire */
export function echoClient({ call, notify, onNotify, binaryAs }) {
  const { pack, unpack } = binaryForm(binaryAs);
  const client = {
    call: (params) => call('echo', params),
    binary: async (bytes) => unpack(await call('binary', pack(bytes))),
  };
  if (notify === undefined) return client;
  const withEvents = { ...client, publish: (event) => notify('event', event), received: () => call('received') };
  if (onNotify === undefined) return withEvents;
  let onChunk = (_value) => {};
  onNotify('chunk', (value) => onChunk(value));
  return {
    ...withEvents,
    /** Reads until `done` says so; resolves with the bytes that were read, when no more come. */
    async stream(done) {
      let read = 0;
      let ungranted = 0;
      await new Promise((resolve) => {
        onChunk = (value) => {
          const { byteLength } = unpack(value);
          read += byteLength;
          ungranted += byteLength;
          if (done()) {
            onChunk = () => {};
            resolve(undefined);
          } else if (ungranted >= windowBytes / 4) {
            notify('grant', ungranted);
            ungranted = 0;
          }
        };
        void call('streamStart');
      });
      await call('streamStop');
      return read;
    },
  };
}
