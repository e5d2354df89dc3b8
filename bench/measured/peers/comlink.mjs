// Calls only: comlink has no one-way messages. Bytes are transferred both ways.
import { parentPort } from 'node:worker_threads';
import { expose, transfer, wrap } from 'comlink/dist/esm/comlink.mjs';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

const moved = (bytes) => transfer(bytes, [bytes.buffer]);

/** @type {import('../peer.mjs').Peer} */
export const comlink = {
  serve() {
    expose({ echo: (params) => params, binary: (bytes) => moved(bytes) }, nodeEndpoint(parentPort));
  },
  async connect({ worker }) {
    const remote = wrap(nodeEndpoint(worker));
    return { call: (params) => remote.echo(params), binary: (bytes) => remote.binary(moved(bytes)), close() {} };
  },
};
