import { expect, test } from 'vitest';
import type { Connection } from '../../src/interfaces/transport.js';
import { nodePlatform } from '../../src/node/node-platform.js';
import { type MemoryPair, memoryTransport } from '../../transports/memory/index.js';

const { clock } = nodePlatform();
const ignore = { onData() {}, onWritable() {}, onClose() {} };

test('[memory.transport] addresses are known to one transport object alone', async () => {
  const transport = memoryTransport({ clock });
  const listener = await transport.listen('memory:host', (connection) => connection.start(ignore));
  expect(listener.address).toBe('memory:host');
  await expect(memoryTransport({ clock }).dial('memory:host')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  const connection = await transport.dial('memory:host');
  expect(connection.peer.description).toBe('memory:host');
  connection.start(ignore);
  connection.close({ abort: true });
});

test('an empty address is any free one', async () => {
  const transport = memoryTransport({ clock });
  await transport.listen('memory:1', () => {});
  const first = await transport.listen('', () => {});
  const second = await transport.listen('', () => {});
  expect(new Set(['memory:1', first.address, second.address]).size).toBe(3);
});

test.each(['', 'host', 'memory:', 'unix:/tmp/x'])('dial refuses the address %j', async (address) => {
  await expect(memoryTransport({ clock }).dial(address)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('memory:NAME'),
  });
});

test('listen refuses what is no address and what is taken', async () => {
  const transport = memoryTransport({ clock });
  await expect(transport.listen('host', () => {})).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await transport.listen('memory:host', () => {});
  await expect(transport.listen('memory:host', () => {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
});

test('a listener that was closed does not take the address from whoever has it now', async () => {
  const transport = memoryTransport({ clock });
  const accept = (connection: Connection): void => connection.start(ignore);
  const old = await transport.listen('memory:host', accept);
  await old.close();
  await transport.listen('memory:host', accept);
  await old.close();
  const connection = await transport.dial('memory:host');
  connection.start(ignore);
  connection.close({ abort: true });
});

test('hands over every pair with its faults before anything can be sent, and replays them from one seed', async () => {
  const run = async (): Promise<number[]> => {
    const sizes: number[] = [];
    const pairs: [MemoryPair, string][] = [];
    const transport = memoryTransport({
      clock,
      seed: 3,
      onPair(pair, address) {
        pair.faults[0].split(9);
        pairs.push([pair, address]);
      },
    });
    const { address } = await transport.listen('', (connection) => connection.start({ ...ignore, onData: (chunk) => void sizes.push(chunk.length) }));
    const connection = await transport.dial(address);
    connection.start(ignore);
    connection.send([new Uint8Array(100)]);
    while (sizes.reduce((sum, size) => sum + size, 0) < 100) await new Promise((resolve) => setImmediate(resolve));
    expect(pairs).toHaveLength(1);
    expect(pairs[0]![0][0]).toBe(connection);
    expect(pairs[0]![1]).toBe(address);
    connection.close({ abort: true });
    return sizes;
  };
  const [first, second] = [await run(), await run()];
  expect(first).toEqual(second);
  expect(first.length).toBeGreaterThan(11);
});

test('a listener that throws fails the dial and leaves nothing open', async () => {
  const accepted: Connection[] = [];
  const transport = memoryTransport({ clock });
  const { address } = await transport.listen('', (connection) => {
    accepted.push(connection);
    throw new Error('full');
  });
  await expect(transport.dial(address)).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('failed to take') });
  expect(accepted[0]!.send([new Uint8Array(1)])).toBe(false);
});
