import { expectCode, expectThat, type TransportBehaviour } from './transport-behaviour.js';
import { numberedFrame } from './transport-frames.js';

/** How a connection ends: once, with a reason, and nothing comes after it. */
export const endBehaviours: readonly TransportBehaviour[] = [
  {
    title: 'flushes before it closes, and both sides end in order',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      for (let index = 0; index < 48; index += 1) left.send(numberedFrame(65_536, index));
      left.close({ reason: 'The work is done.' });
      const { code, message } = await left.ended();
      expectCode('The closing side', code, 'CLOSED');
      expectThat(message === 'The work is done.', `The reason of the close was reported as "${message}".`);
      expectCode('The other side', (await right.ended()).code, 'PEER_CLOSED');
      expectThat(right.missingBytes === 0, 'The end arrived before what was sent.');
    },
  },
  {
    title: 'closes in order when both sides close at once, with bytes under way',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      left.send(numberedFrame(100));
      right.send(numberedFrame(100));
      left.close();
      right.close();
      expectCode('The left side', (await left.ended()).code, 'CLOSED');
      expectCode('The right side', (await right.ended()).code, 'CLOSED');
    },
  },
  {
    title: 'delivers the last bytes to a side that goes on writing (a half-close)',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      const write = async (): Promise<void> => {
        while (right.ends.length === 0) {
          right.send(numberedFrame(10_000));
          await bench.roundTrip();
        }
      };
      const writing = write();
      writing.catch(() => {});
      await left.until(() => left.receivedBytes > 0);
      left.send(numberedFrame(317));
      left.close();
      expectCode('The side that writes', (await right.ended()).code, 'PEER_CLOSED');
      await writing;
      expectThat(right.missingBytes === 0, 'The end arrived before the last bytes.');
      expectCode('The closing side', (await left.ended()).code, 'CLOSED');
    },
  },
  {
    title: 'delivers nothing more after its own close',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      right.send(numberedFrame(10));
      left.close();
      await left.ended();
      expectThat(left.receivedBytes === 0, 'Something was delivered after close.');
      await right.ended();
    },
  },
  {
    title: 'takes a second close, and does nothing',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      left.close({ reason: 'first' });
      left.close({ reason: 'second' });
      expectThat((await left.ended()).message === 'first', 'The second close has changed the reason of the first.');
      left.close();
      left.close({ abort: true });
      await right.ended();
      await bench.settle();
      expectThat(left.ends.length === 1, 'onClose was called more than once.');
    },
  },
  {
    title: 'sends nothing after close, returns false, and never throws',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      left.send(numberedFrame(5));
      left.close();
      expectThat(!left.send(numberedFrame(9)), 'send returned true after close.');
      await left.ended();
      expectThat(!left.send(numberedFrame(9)), 'send returned true after the end.');
      await right.ended();
      expectThat(right.receivedBytes === 9, `${right.receivedBytes} bytes arrived of the 9 that were sent before the close.`);
    },
  },
  {
    title: 'can be closed from within onData and onClose',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      right.onData = () => right.close();
      right.onClose = () => right.close({ abort: true });
      left.send(numberedFrame(5));
      left.send(numberedFrame(5));
      expectCode('The closing side', (await right.ended()).code, 'CLOSED');
      expectCode('The other side', (await left.ended()).code, 'PEER_CLOSED');
      expectThat(!left.send(numberedFrame(1)), 'send returned true after the end.');
    },
  },
  {
    title: 'can be aborted from within onData, and delivers nothing more',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      right.onData = () => right.close({ abort: true });
      left.send(...Array.from({ length: 200 }, () => numberedFrame(5_000)));
      left.send(numberedFrame(5));
      expectCode('The aborting side', (await right.ended()).code, 'ABORTED');
      await left.ended();
    },
  },
  {
    title: 'survives writing to a side that aborts',
    async run(bench) {
      const { left, right } = await bench.openAndStart();
      right.close({ abort: true });
      while (left.ends.length === 0) {
        left.send(numberedFrame(10_000));
        await bench.roundTrip();
      }
      expectCode('The writer', left.ends[0]?.code, 'PEER_CLOSED', 'CONNECTION_LOST');
      expectCode('The aborting side', (await right.ended()).code, 'ABORTED');
    },
  },
  {
    title: 'ends at once, not after the bound of a close, when the other side aborts after the end of both was under way',
    async run(bench) {
      const patient = await bench.open();
      patient.left.start();
      await bench.overfill(patient);
      const { left, right } = await bench.openAndStart();
      patient.left.close();
      left.close();
      right.close();
      right.close({ abort: true });
      await Promise.all([left.ended(), right.ended()]);
      expectThat(patient.left.ends.length === 0, 'It took as long as a close that waits for its peer.');
    },
  },
  {
    title: 'reports an end that came before start',
    async run(bench) {
      const { left, right } = await bench.open();
      left.close();
      right.close({ abort: true });
      await bench.settle();
      left.start();
      right.start();
      expectCode('The aborting side', (await right.ended()).code, 'ABORTED');
      expectCode('The closing side', (await left.ended()).code, 'CLOSED');
    },
  },
  {
    title: 'refuses a second start',
    async run(bench) {
      const { left } = await bench.openAndStart();
      let refused = false;
      try {
        left.connection.start({ onData() {}, onWritable() {}, onClose() {} });
      } catch {
        refused = true;
      }
      expectThat(refused, 'A connection was started twice: the first handlers would no longer be called.');
    },
  },
];
