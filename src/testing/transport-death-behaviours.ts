import { expectCode, expectThat, type TransportBehaviour } from './transport-behaviour.js';
import { NotApplicable } from './transport-bench.js';
import { numberedFrame } from './transport-frames.js';

/** What becomes of a side whose peer dies without a word. */
export const deathBehaviours: readonly TransportBehaviour[] = [
  {
    title: 'ends by itself when the peer dies',
    async run(bench) {
      if (bench.fixture.capabilities?.detectsPeerDeath === false)
        throw new NotApplicable('The transport declares that it does not notice the death of a peer.');
      const { left, right, kill } = await bench.openKillable();
      left.start();
      right.start();
      left.send(numberedFrame(100));
      await right.receivedAll();
      await kill();
      expectCode('The survivor', (await left.ended()).code, 'CONNECTION_LOST', 'PEER_CLOSED');
      expectThat(!left.send(numberedFrame(1)), 'send returned true after the end.');
    },
  },
  {
    title: 'releases a writer that waits for onWritable when the peer dies',
    async run(bench) {
      if (bench.fixture.capabilities?.detectsPeerDeath === false)
        throw new NotApplicable('The transport declares that it does not notice the death of a peer.');
      const opened = await bench.openKillable();
      opened.left.start();
      await bench.fill(opened);
      await opened.kill();
      expectCode('The survivor', (await opened.left.ended()).code, 'CONNECTION_LOST', 'PEER_CLOSED');
    },
  },
  {
    title: 'survives writing to a peer that has died, and can be closed within its bound',
    async run(bench) {
      const { left, right, kill } = await bench.openKillable();
      left.start();
      right.start();
      await kill();
      for (let count = 0; count < 20; count += 1) {
        left.send(numberedFrame(10_000));
        await bench.roundTrip();
      }
      left.close();
      expectCode('The survivor', (await left.ended()).code, 'CLOSED', 'ABORTED', 'CONNECTION_LOST', 'PEER_CLOSED');
    },
  },
  {
    title: 'ends once when the peer dies while it closes',
    async run(bench) {
      const opened = await bench.openKillable();
      const { left } = opened;
      left.start();
      await bench.overfill(opened);
      left.close();
      await opened.kill();
      // Bytes that were accepted are gone: whatever it says, it does not say that all is well.
      expectCode('The survivor', (await left.ended()).code, 'ABORTED', 'CONNECTION_LOST');
      await bench.settle();
      expectThat(left.ends.length === 1, 'onClose was called more than once.');
    },
  },
];
