import { describe, expect, it } from 'vitest';
import type { CloseReason, Connection } from '../../src/interfaces/transport.js';
import { nodePlatform } from '../../src/node/node-platform.js';
import { withoutStrayOutput } from '../../src/node/stray-output.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/index.js';

const frame = (...body: number[]): Uint8Array => Uint8Array.from([0, 0, 0, body.length, ...body]);
const text = (value: string): Uint8Array => Buffer.from(value);

function setUp(maxPieceBytes?: number): { worker: Connection; pair: MemoryPair; received: () => number[]; ended: Promise<CloseReason> } {
  const pair = createMemoryPair({ clock: nodePlatform().clock });
  if (maxPieceBytes !== undefined) pair.faults[1].split(maxPieceBytes);
  const chunks: number[] = [];
  const ended = new Promise<CloseReason>((resolve) =>
    withoutStrayOutput(pair[0]).start({ onData: (chunk) => chunks.push(...chunk), onWritable() {}, onClose: resolve }),
  );
  pair[1].start({ onData() {}, onWritable() {}, onClose() {} });
  return { worker: pair[1], pair, received: () => chunks, ended };
}

describe.each([undefined, 1, 3])('stray output, in pieces of at most %s bytes', (maxPieceBytes) => {
  it('lets frames through, whatever is in them', async () => {
    const { worker, received, ended } = setUp(maxPieceBytes);
    const sent = [frame(...text('Hello')), frame(72, 105), frame(255), frame(0, 0, 0)];
    worker.send(sent);
    worker.close();
    expect((await ended).code).toBe('PEER_CLOSED');
    expect(received()).toEqual(sent.flatMap((one) => [...one]));
  });

  it('delivers the frames before the text, quotes it, and ends', async () => {
    const { worker, received, ended } = setUp(maxPieceBytes);
    worker.send([frame(1, 2), frame(3), text('Traceback (most recent call last):\n  File "main.py"\n'), frame(4)]);
    expect(await ended).toEqual({
      code: 'PROTOCOL_ERROR',
      message:
        'The worker wrote "Traceback (most recent call last):" to its standard output, which carries the protocol (runtime.channel: stdio); print to standard error.',
    });
    expect(received()).toEqual([...frame(1, 2), ...frame(3)]);
  });

  it('quotes text that nothing follows, and such that frames follow at once', async () => {
    const alone = setUp(maxPieceBytes);
    alone.worker.send([text('Password: ')]);
    expect((await alone.ended).message).toContain('wrote "Password: " to');
    const followed = setUp(maxPieceBytes);
    followed.worker.send([text('ready'), frame(1)]);
    expect((await followed.ended).message).toContain('wrote "ready" to');
  });

  it('quotes at most 200 bytes, and nothing that a terminal would obey', async () => {
    const { worker, ended } = setUp(maxPieceBytes);
    worker.send([text(`${'x'.repeat(5_000)}\n`)]);
    const { message } = await ended;
    expect(message).toContain(`wrote "${'x'.repeat(200)}…" to`);
    const escaped = setUp(maxPieceBytes);
    escaped.worker.send([text('\u001b]0;owned\u0007\n')]);
    expect((await escaped.ended).message).toContain('wrote "\\x1b" to');
  });
});

it('keeps frames below the size from which on their length would look like text', () => {
  const [left] = createMemoryPair({ clock: nodePlatform().clock });
  expect(withoutStrayOutput(left).maxFrameBytes).toBe(4 + 0x08ff_ffff);
  left.close({ abort: true });
});
