import { frameHeaderBytes, handshakeFrameBytes } from '../frames/limits.js';
import { expectThat, type TransportBehaviour } from './transport-behaviour.js';
import { joined, numberedFrame, sameBytes } from './transport-frames.js';

const largestTriedBytes = 4 * 1024 * 1024 + frameHeaderBytes;

/** What becomes of bytes: all of them arrive, unchanged and in order, and the memory of either side stays its own. */
export const dataBehaviours: readonly TransportBehaviour[] = [
  {
    title: 'delivers frames both ways',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      expectThat(left.send(numberedFrame(5)), 'The first send, of nine bytes, returned false.');
      expectThat(right.send(numberedFrame(7, 100)), 'The first send, of eleven bytes, returned false.');
      await Promise.all([left.receivedAll(), right.receivedAll()]);
    },
  },
  {
    title: 'sends the concatenation of the chunks, empty ones included, wherever the frames are cut',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const batch = joined([numberedFrame(40_000), numberedFrame(1), numberedFrame(30)]);
      const cuts = [0, 1, 1, 3, 4, 5, 30_000, 30_001, 40_004, 40_006, batch.length];
      left.send(...cuts.slice(1).map((cut, index) => batch.subarray(cuts[index], cut)));
      left.send(new Uint8Array(0), batch);
      await right.receivedAll();
      expectThat(right.receivedBytes === 2 * batch.length, 'Not everything that was sent arrived.');
    },
  },
  {
    title: 'keeps the order of many small sends',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      for (let index = 0; index < 3_000; index += 1) {
        left.send(numberedFrame((index % 40) + 1, index));
        if (index % 500 === 0) await bench.roundTrip();
      }
      await right.receivedAll();
    },
  },
  {
    title: 'carries frames of every size, up to its own limit or four mebibytes',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const largest = Math.min(left.connection.maxFrameBytes, largestTriedBytes);
      for (let exponent = 7; 2 ** exponent + 1 <= largest; exponent += 1) {
        for (const size of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) left.send(numberedFrame(size - frameHeaderBytes, exponent));
      }
      left.send(numberedFrame(largest - frameHeaderBytes));
      await right.receivedAll();
    },
  },
  {
    title: 'carries eight mebibytes of large frames in one send',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const frameBytes = Math.min(left.connection.maxFrameBytes, largestTriedBytes);
      const frames: Uint8Array[] = [];
      for (let bytes = 0; bytes < 8 * 1024 * 1024; bytes += frameBytes) frames.push(numberedFrame(frameBytes - frameHeaderBytes, frames.length));
      left.send(...frames);
      await right.receivedAll();
    },
  },
  {
    title: 'carries thousands of frames in one send',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      left.send(...Array.from({ length: 5_000 }, (_, index) => numberedFrame((index % 90) + 1, index)));
      await right.receivedAll();
    },
  },
  {
    title: 'streams sixteen mebibytes each way at once, with both sides waiting whenever send says false',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const frames = Array.from({ length: 256 }, (_, index) => numberedFrame(65_536, index));
      await Promise.all([bench.pump(left, frames), bench.pump(right, frames)]);
      await Promise.all([left.receivedAll(), right.receivedAll()]);
    },
  },
  {
    title: 'never changes a chunk after it was delivered',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const kept: { readonly chunk: Uint8Array; readonly copy: Uint8Array }[] = [];
      right.onData = (chunk) => kept.push({ chunk, copy: chunk.slice() });
      for (let index = 0; index < 100; index += 1) {
        left.send(numberedFrame(1_000, index));
        await bench.roundTrip();
      }
      await right.receivedAll();
      expectThat(
        kept.every(({ chunk, copy }) => sameBytes(chunk, copy)),
        'A chunk that was delivered has changed since: the receiver may keep views of it.',
      );
    },
  },
  {
    title: 'leaves the memory of the sender alone, of which the rest is written to while earlier parts are under way',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const slab = new Uint8Array(65_536);
      const large = numberedFrame(100_000);
      const handedOver: Uint8Array[] = [];
      for (let at = 0, index = 0; at + 300 < slab.length; index += 1) {
        const frame = numberedFrame(index % 290, index);
        slab.set(frame, at);
        const chunk = slab.subarray(at, at + frame.length);
        left.send(chunk, large);
        handedOver.push(chunk);
        at += frame.length;
      }
      await right.receivedAll();
      expectThat(slab.length === 65_536 && large.length === 100_004, 'The memory of a chunk was taken away from its sender.');
      expectThat(
        handedOver.every((chunk, index) => sameBytes(chunk, numberedFrame(index % 290, index))) && sameBytes(large, numberedFrame(100_000)),
        'The connection has written to a chunk of its sender.',
      );
    },
  },
  {
    title: 'keeps what arrives before start, the end included',
    async run(bench) {
      const { left, right } = await bench.open();
      left.start();
      left.send(numberedFrame(2_000));
      await bench.settle();
      left.close();
      await bench.settle();
      right.start();
      const { code } = await right.ended();
      expectThat(code === 'PEER_CLOSED', `The end that came before start was ${code}, not PEER_CLOSED.`);
      expectThat(right.missingBytes === 0, 'What arrived before start was lost.');
    },
  },
  {
    title: 'takes answers from within onData, and never calls back from within send',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const ping = numberedFrame(1);
      right.onData = () => {
        while (right.sentBytes < right.receivedBytes - (right.receivedBytes % ping.length)) right.send(ping);
      };
      left.onData = () => {
        if (left.receivedBytes % ping.length === 0 && left.sentBytes < 50 * ping.length) left.send(ping);
      };
      left.send(ping);
      await left.until(() => left.receivedBytes >= 50 * ping.length);
    },
  },
  {
    title: 'names its peer and its frame limit',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      for (const { connection } of [left, right]) {
        expectThat(typeof connection.peer.description === 'string' && connection.peer.description !== '', 'peer.description is empty.');
        expectThat(
          connection.maxFrameBytes >= handshakeFrameBytes + frameHeaderBytes,
          `maxFrameBytes is ${connection.maxFrameBytes}; a handshake may need ${handshakeFrameBytes + frameHeaderBytes}. Cut frames into segments.`,
        );
        expectThat(left.connection.maxFrameBytes === right.connection.maxFrameBytes, 'The two ends have different frame limits.');
      }
    },
  },
];
