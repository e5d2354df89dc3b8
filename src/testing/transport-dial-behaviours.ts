import type { Connection } from '../interfaces/transport.js';
import type { RecordedConnection } from './recorded-connection.js';
import { expectThat, type TransportBehaviour } from './transport-behaviour.js';
import { NotApplicable, type TransportBench } from './transport-bench.js';
import { numberedFrame } from './transport-frames.js';

/** How connections come about: a listener accepts what is dialled, and an address is free again when its listener is closed. */
export const dialBehaviours: readonly TransportBehaviour[] = [
  {
    title: 'gives every dialler a connection of its own',
    async run(bench) {
      const listener = await bench.listen((connection) => answerAll(bench, connection));
      const dialled = await Promise.all(Array.from({ length: 8 }, () => bench.transport.dial(listener.address)));
      await Promise.all(
        dialled.map(async (connection, index) => {
          const end = bench.record(`dialler ${index}`, connection);
          const received: number[] = [];
          end.onData = (chunk) => received.push(...chunk);
          end.start();
          const frame = numberedFrame(10 + index, index);
          end.send(frame);
          await end.until(() => end.receivedBytes >= frame.length || end.ends.length > 0);
          expectThat(String(received) === String([...frame]), `What dialler ${index} received is not the answer to what it sent.`);
        }),
      );
    },
  },
  {
    title: 'rejects a dial to an address where nobody listens any more',
    async run(bench) {
      const listener = await bench.listen((connection) => answerAll(bench, connection));
      await exchange(bench, listener.address);
      await listener.close();
      await expectRejection(bench.transport.dial(listener.address), 'A dial to where nobody listens has succeeded.');
    },
  },
  {
    title: 'rejects a dial whose signal was aborted before',
    async run(bench) {
      let accepted = 0;
      const listener = await bench.listen((connection) => {
        accepted += 1;
        answerAll(bench, connection);
      });
      const controller = new AbortController();
      controller.abort();
      await expectRejection(bench.transport.dial(listener.address, { signal: controller.signal }), 'A dial with an aborted signal has succeeded.');
      await bench.settle();
      expectThat(accepted === 0, 'A dial with an aborted signal has reached the listener.');
    },
  },
  {
    title: 'rejects a dial whose signal is aborted meanwhile, and leaves nothing open',
    async run(bench) {
      const accepted: RecordedConnection[] = [];
      const listener = await bench.listen((connection) => void accepted.push(answerAll(bench, connection)));
      const controller = new AbortController();
      const dialling = bench.transport.dial(listener.address, { signal: controller.signal });
      controller.abort();
      await expectRejection(dialling, 'A dial whose signal was aborted has succeeded.');
      await exchange(bench, listener.address);
      // The last one belongs to the exchange.
      for (const connection of accepted.slice(0, -1)) await connection.ended();
    },
  },
  {
    title: 'lets go of the signal once it is connected',
    async run(bench) {
      const listener = await bench.listen((connection) => answerAll(bench, connection));
      const controller = new AbortController();
      const end = bench.record('dialler', await bench.transport.dial(listener.address, { signal: controller.signal }));
      end.start();
      controller.abort();
      const frame = numberedFrame(20);
      end.send(frame);
      await end.until(() => end.receivedBytes >= frame.length || end.ends.length > 0);
      expectThat(end.ends.length === 0, 'The signal of the dial has ended the connection.');
    },
  },
  {
    title: 'lets connections live on when their listener is closed, and closing it twice does no harm',
    async run(bench) {
      const listener = await bench.listen((connection) => answerAll(bench, connection));
      const end = bench.record('dialler', await bench.transport.dial(listener.address));
      end.start();
      const frame = numberedFrame(20);
      end.send(frame);
      await end.until(() => end.receivedBytes >= frame.length || end.ends.length > 0);
      await listener.close();
      await listener.close();
      end.send(frame);
      await end.until(() => end.receivedBytes >= 2 * frame.length || end.ends.length > 0);
      expectThat(end.ends.length === 0, 'A connection ended with its listener.');
    },
  },
  {
    title: 'frees the address when the listener is closed',
    async run(bench) {
      const first = await bench.listen((connection) => answerAll(bench, connection));
      await first.close();
      const second = await bench.listen((connection) => answerAll(bench, connection), first.address);
      expectThat(second.address === first.address, `Listening at ${first.address} again gave the address ${second.address}.`);
      await exchange(bench, second.address);
    },
  },
  {
    title: 'refuses an address that is taken, and the one who has it keeps it',
    async run(bench) {
      if (bench.fixture.capabilities?.exclusiveAddress === false)
        throw new NotApplicable('The transport declares that listeners may share an address.');
      const { address } = await bench.listen((connection) => answerAll(bench, connection));
      await expectRejection(
        bench.listen((connection) => connection.close({ abort: true }), address),
        `Two listeners have the address ${address}.`,
      );
      await exchange(bench, address);
    },
  },
];

/** Answers every byte with itself. What it is sent are whole frames that come alone, so that an answer is one too once it is complete. */
function answerAll(bench: TransportBench, connection: Connection): RecordedConnection {
  const end = bench.record('accepted', connection);
  let gathered: number[] = [];
  end.onData = (chunk) => {
    gathered.push(...chunk);
    const whole = gathered.length >= 4 ? 4 + gathered[2]! * 256 + gathered[3]! : Number.POSITIVE_INFINITY;
    if (gathered.length < whole) return;
    end.send(Uint8Array.from(gathered));
    gathered = [];
  };
  end.start();
  return end;
}

/** Dials and proves that somebody answers. */
async function exchange(bench: TransportBench, address: string): Promise<void> {
  const end = bench.record('dialler', await bench.transport.dial(address));
  end.start();
  const frame = numberedFrame(12);
  end.send(frame);
  await end.until(() => end.receivedBytes >= frame.length || end.ends.length > 0);
  expectThat(end.ends.length === 0, `The connection ended before it was answered: ${end.ends[0]?.message}`);
}

async function expectRejection(attempt: Promise<unknown>, otherwise: string): Promise<void> {
  const outcome = await attempt.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  expectThat(outcome !== undefined, otherwise);
  expectThat(outcome?.error instanceof Error, 'The rejection is no Error.');
}
