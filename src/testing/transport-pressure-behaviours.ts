import { expectCode, expectThat, type TransportBehaviour } from './transport-behaviour.js';
import { numberedFrame } from './transport-frames.js';

/** What becomes of a writer whose peer reads slowly, late or never. */
export const pressureBehaviours: readonly TransportBehaviour[] = [
  {
    title: 'says false to the writer of a peer that never reads, for as long as it does not, and costs bounded memory',
    async run(bench) {
      const opened = await bench.open();
      opened.left.start();
      await bench.fill(opened);
      for (let count = 0; count < 3; count += 1) {
        expectThat(!opened.left.send(numberedFrame(1)), 'send returned true although the peer still reads nothing.');
        await bench.settle();
      }
    },
  },
  {
    title: 'calls onWritable when the peer reads again, and delivers what a send that said false was given',
    async run(bench) {
      const opened = await bench.open();
      const { left, right } = opened;
      left.start();
      await bench.overfill(opened);
      const before = left.writableCalls;
      right.start();
      await left.until(() => left.writableCalls > before);
      await right.receivedAll();
      expectThat(left.send(numberedFrame(1)), 'send returns false although everything was read.');
      await right.receivedAll();
    },
  },
  {
    title: 'does not wait for ever because of sends that nobody waited for',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      for (let round = 0; round < 3; round += 1) {
        for (let index = 0; index < 8; index += 1) left.send(numberedFrame(1_000_000, index));
        left.send(numberedFrame(3));
        await right.receivedAll();
      }
    },
  },
  {
    title: 'flushes a close that comes while the peer is behind',
    async run(bench) {
      const opened = await bench.open();
      const { left, right } = opened;
      left.start();
      await bench.overfill(opened);
      left.close();
      right.start();
      expectCode('The reader', (await right.ended()).code, 'PEER_CLOSED');
      expectThat(right.missingBytes === 0, 'The end arrived before what was sent.');
      expectCode('The writer', (await left.ended()).code, 'CLOSED');
    },
  },
  {
    title: 'gives up a close within its bound when the peer never reads, and says what was lost',
    async run(bench) {
      const opened = await bench.open();
      opened.left.start();
      await bench.overfill(opened);
      opened.left.close();
      expectCode('The closing side', (await opened.left.ended()).code, 'ABORTED');
    },
  },
  {
    title: 'aborts at once, whatever is queued',
    async run(bench) {
      const patient = await bench.open();
      const hasty = await bench.open();
      for (const opened of [patient, hasty]) {
        opened.left.start();
        await bench.overfill(opened);
      }
      // There is no clock here: the one that closes in order waits for its whole bound, and the one that aborts must be faster.
      patient.left.close();
      hasty.left.close({ abort: true, reason: 'Enough.' });
      expectThat(hasty.left.ends.length === 0, 'onClose was called from within close.');
      const { code, message } = await hasty.left.ended();
      expectCode('The aborting side', code, 'ABORTED');
      expectThat(message === 'Enough.', `The reason of the abort was reported as "${message}".`);
      expectThat(patient.left.ends.length === 0, 'The abort took as long as a close that waits for its peer.');
      hasty.right.start();
      expectCode('The other side', (await hasty.right.ended()).code, 'PEER_CLOSED', 'CONNECTION_LOST');
      expectThat(hasty.right.missingBytes > 0, 'The abort has flushed what was queued.');
    },
  },
  {
    title: 'can be aborted while it closes',
    async run(bench) {
      const opened = await bench.open();
      opened.left.start();
      await bench.overfill(opened);
      opened.left.close();
      opened.left.close({ abort: true });
      expectCode('The aborting side', (await opened.left.ended()).code, 'ABORTED');
    },
  },
  {
    title: 'releases a writer that waits for onWritable when the other side aborts',
    async run(bench) {
      const opened = await bench.open();
      const { left, right } = opened;
      left.start();
      await bench.fill(opened);
      const before = left.writableCalls;
      right.close({ abort: true });
      expectCode('The writer', (await left.ended()).code, 'PEER_CLOSED', 'CONNECTION_LOST');
      expectThat(left.writableCalls === before, 'onWritable was called although nobody reads any more.');
    },
  },
];
