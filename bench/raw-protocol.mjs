// The raw limit: 4-byte length and plain MessagePack, positional, nothing else. Shared by the client and the worker of the raw peer.
import { Packr, Unpackr } from 'msgpackr';

const earlyFlushBytes = 2_048;

/** @param {import('node:net').Socket} socket @param {'frame' | 'batch'} flush @param {(message: unknown[]) => void} onMessage */
export function rawChannel(socket, flush, onMessage) {
  const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, variableMapSize: true });
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, int64AsType: 'auto' });
  let rest;
  let batch = [];
  let batchBytes = 0;
  let scheduled = false;
  const write = () => {
    scheduled = false;
    if (batch.length === 0) return;
    socket.write(batch.length === 1 ? batch[0] : Buffer.concat(batch, batchBytes));
    batch = [];
    batchBytes = 0;
  };
  socket.on('data', (chunk) => {
    const data = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (data.length - at >= 4) {
      const length = data.readUInt32BE(at);
      if (data.length - at - 4 < length) break;
      onMessage(unpackr.unpack(data.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    rest = at === data.length ? undefined : data.subarray(at);
  });
  return (message) => {
    const body = packr.pack(message);
    const frame = Buffer.allocUnsafe(body.length + 4);
    frame.writeUInt32BE(body.length, 0);
    frame.set(body, 4);
    if (flush === 'frame') return void socket.write(frame);
    batch.push(frame);
    batchBytes += frame.length;
    if (batchBytes >= earlyFlushBytes) write();
    else if (!scheduled) {
      scheduled = true;
      setImmediate(write);
    }
  };
}
