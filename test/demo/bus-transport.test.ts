import { describe, expect, onTestFinished, test } from 'vitest';
import { type BusTransportOptions, busTransport } from '../../examples/bus-transport/bus-transport.js';
import { type BusClient, createMessageBus } from '../../examples/bus-transport/message-bus.js';
import { encodeSegment } from '../../examples/bus-transport/segment.js';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';
import { testTransport } from '../../src/testing/test-transport.js';
import type { TransportFixture } from '../../src/testing/transport-fixture.js';
import { runProgram } from './run-program.js';

const quick: BusTransportOptions = { closeTimeoutMs: 600, keepAliveMs: 20, dialTimeoutMs: 500 };

/** Two ends, each with a client of its own. */
async function connect(leftClient: BusClient, rightClient: BusClient, options: BusTransportOptions): Promise<readonly [Connection, Connection]> {
  let accept: (connection: Connection) => void = () => {};
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  const listener = await busTransport(rightClient, options).listen('', accept);
  const left = await busTransport(leftClient, options).dial(listener.address);
  const right = await accepted;
  await listener.close();
  return [left, right];
}

function fixture(options: BusTransportOptions, detectsPeerDeath: boolean): TransportFixture {
  const bus = createMessageBus({ maxPayloadBytes: 65_536 });
  return {
    transport: busTransport(bus.connect(), options),
    capabilities: { detectsPeerDeath, exclusiveAddress: false },
    async open() {
      const client = bus.connect();
      const [left, right] = await connect(bus.connect(), client, options);
      // The bus loses the client, and tells nobody.
      return { left, right, kill: () => client.disconnect() };
    },
  };
}

const runner = { describe, test };
testTransport('bus', () => fixture({ ...quick, leaseMs: 300 }, true), { runner });
testTransport('bus, without leases', () => fixture({ ...quick, leaseMs: Number.POSITIVE_INFINITY }, false), { runner });

test('[testing.custom-transport] a worker is called over the bus, and finds its session again after the bus has lost it', async () => {
  const { code, stdout, stderr } = await runProgram(['--import', 'tsx', 'examples/bus-transport/main.ts']);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(['length 60000', 'sum 500500', 'length 12 generation 1', 'goodbye true']);
  expect(code).toBe(0);
});

describe('a connection over a bus', () => {
  /** A connection and a hand on the bus: what is published to it, and what it is made to hear. */
  async function tapped(maxPayloadBytes = 1_000) {
    const bus = createMessageBus({ maxPayloadBytes });
    const client = bus.connect();
    const published: { subject: string; payload: Uint8Array }[] = [];
    const listening: ((payload: Uint8Array) => void)[] = [];
    const spy: BusClient = {
      ...client,
      publish(subject, payload) {
        published.push({ subject, payload });
        client.publish(subject, payload);
      },
      subscribe(subject, onMessage) {
        listening.push(onMessage);
        return client.subscribe(subject, onMessage);
      },
    };
    const [left, right] = await connect(spy, bus.connect(), quick);
    onTestFinished(() => {
      for (const connection of [left, right]) connection.close({ abort: true });
    });
    right.start({ onData() {}, onWritable() {}, onClose() {} });
    const closed = new Promise<CloseReason>((resolve) => left.start({ onData() {}, onWritable() {}, onClose: resolve }));
    return { left, closed, published, hear: listening.at(-1)! };
  }

  test('[testing.custom-transport] cuts what is too large for one message', async () => {
    const { left, published } = await tapped(1_000);
    published.length = 0;
    left.send([new Uint8Array(2_500), new Uint8Array(10)]);
    expect(published.map(({ payload }) => payload.length)).toEqual([1_000, 1_000, 525]);
  });

  test('[testing.custom-transport] does not live on with a hole, when the bus has lost a message', async () => {
    const { closed, hear } = await tapped();
    hear(encodeSegment('data', 77, new Uint8Array(5)));
    expect(await closed).toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringMatching(/segment 77 arrived in the place of \d: the bus has lost some/),
    });
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['an unknown kind', new Uint8Array([200, 0, 0, 0, 0])],
    ['half a header', new Uint8Array([0, 0])],
  ])('ends when somebody publishes %s to it', async (_what, payload) => {
    const { closed, hear } = await tapped();
    hear(payload);
    expect(await closed).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('no segment') });
  });

  test('says who does not answer, and refuses what is no address', async () => {
    const transport = busTransport(createMessageBus().connect(), { dialTimeoutMs: 20 });
    await expect(transport.dial('bus:nobody')).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('within 20 ms') });
    await expect(transport.dial('nats://x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('answers no more dials than it can keep an eye on', async () => {
    const bus = createMessageBus();
    const listener = await busTransport(bus.connect(), quick).listen('', () => {});
    const attacker = bus.connect();
    let answers = 0;
    attacker.subscribe('answers', () => {
      answers += 1;
    });
    for (let index = 0; index < 500; index += 1) attacker.publish(listener.address.slice(4), new TextEncoder().encode(`answers nowhere.${index}`));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answers).toBe(64);
    await listener.close();
  });
});
