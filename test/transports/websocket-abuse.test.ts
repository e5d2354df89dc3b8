import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import type { CloseReason, Connection, TransportListener } from '../../src/interfaces/transport.js';
import { type WebSocketTransportOptions, webSocketTransport } from '../../transports/websocket/index.js';

/** A loaded machine needs its time. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 4_000 });

/** What a listener saw of one connection. */
interface Seen {
  readonly connection: Connection;
  received: number;
  reason: CloseReason | undefined;
}

let listeners: TransportListener[] = [];
let sockets: net.Socket[] = [];
let seen: Seen[] = [];

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const { connection } of seen) connection.close({ abort: true });
  await eventually(() => seen.filter(({ reason }) => reason === undefined).length).toBe(0);
  for (const listener of listeners) await listener.close();
  [listeners, sockets, seen] = [[], [], []];
});

/** @param onFirst - what the host does about the first bytes. */
async function listen(
  options: WebSocketTransportOptions = {},
  onFirst?: (one: Seen) => void,
  address = 'ws://127.0.0.1:0/synapse',
): Promise<{ readonly listener: TransportListener; readonly port: number }> {
  const listener = await webSocketTransport({ closeTimeoutMs: 200, ...options }).listen(address, (connection) => {
    const one: Seen = { connection, received: 0, reason: undefined };
    seen.push(one);
    connection.start({
      onData: (chunk) => {
        if (one.received === 0) onFirst?.(one);
        one.received += chunk.length;
      },
      onWritable() {},
      onClose: (reason) => {
        one.reason = reason;
      },
    });
  });
  listeners.push(listener);
  return { listener, port: Number(new URL(listener.address).port) };
}

/** A client that speaks as it likes. */
async function raw(port: number, host = '127.0.0.1'): Promise<net.Socket> {
  const socket = net.connect(port, host);
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends the opening handshake. @returns the head of the answer. */
async function upgrade(socket: net.Socket, headers: Record<string, string> = {}, path = '/synapse'): Promise<string> {
  const all = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString('latin1').split('\r\n\r\n')[0] ?? '';
}

async function open(port: number, headers?: Record<string, string>): Promise<net.Socket> {
  const socket = await raw(port);
  expect(await upgrade(socket, headers)).toMatch(/^HTTP\/1.1 101/);
  return socket;
}

/** A frame of WebSocket, masked with zeros. */
function piece(bits: number, payload: Uint8Array, announced = payload.length): Buffer {
  const head = Buffer.alloc(announced < 126 ? 6 : announced < 65_536 ? 8 : 14);
  head[0] = bits;
  head[1] = 0x80 | (announced < 126 ? announced : announced < 65_536 ? 126 : 127);
  if (announced >= 65_536) head.writeBigUInt64BE(BigInt(announced), 2);
  else if (announced >= 126) head.writeUInt16BE(announced, 2);
  return Buffer.concat([head, payload]);
}

const fin = 0x80;
const text = 0x01;
const binary = 0x02;
const compressed = 0x40;
const ping = 0x09;

const theOnly = async (): Promise<Seen> => {
  await eventually(() => seen.length).toBe(1);
  return seen[0]!;
};
const ended = async (one: Seen): Promise<CloseReason> => {
  await eventually(() => one.reason).toBeDefined();
  return one.reason!;
};
const closed = (socket: net.Socket): Promise<unknown> => (socket.closed ? Promise.resolve() : once(socket.resume(), 'close'));

describe('[websocket.hostile] a WebSocket listener under attack', () => {
  it('ends a connection with a text message, and says so', async () => {
    const { port } = await listen();
    const socket = await open(port);
    socket.write(Buffer.concat([piece(fin | text, Buffer.from('{"jsonrpc":"2.0"}')), piece(fin | binary, Buffer.alloc(8))]));
    const answer = (await once(socket, 'data')) as [Buffer];
    expect(answer[0].readUInt16BE(2)).toBe(1003);
    expect(answer[0].subarray(4).toString()).toBe('Only binary messages are understood here.');
    const one = await theOnly();
    expect(await ended(one)).toMatchObject({ code: 'PROTOCOL_ERROR', message: expect.stringContaining('sent a text message') });
    expect(one.received).toBe(0);
  });

  it.each([
    ['a message over the limit, when its length is announced', [piece(fin | binary, Buffer.alloc(10), 100_001)], /Max payload size exceeded/],
    [
      'fragments that together are over the limit',
      [piece(binary, Buffer.alloc(60_000)), piece(0, Buffer.alloc(60_000))],
      /Max payload size exceeded/,
    ],
    ['a length beyond all numbers', [piece(fin | binary, Buffer.alloc(0), 2 ** 53 - 1)], /Max payload size exceeded/],
    ['compression that nobody agreed to', [piece(fin | compressed | binary, deflateRawSync(Buffer.alloc(1_000_000)))], /RSV1 must be clear/],
    ['a bomb of empty fragments', [piece(binary, Buffer.alloc(0)), ...Array(4_200).fill(piece(0, Buffer.alloc(0)))], /Too many message fragments/],
    ['a bomb of tiny fragments', [piece(binary, Buffer.alloc(1)), ...Array(4_200).fill(piece(0, Buffer.alloc(1)))], /Too many message fragments/],
    ['an end of nothing', [piece(fin, Buffer.alloc(1))], /invalid opcode 0/],
    ['a message without a mask', [Buffer.from([fin | binary, 1, 0])], /MASK must be set/],
    ['a ping that is cut', [piece(ping, Buffer.alloc(0))], /FIN must be set/],
  ])('ends a connection with %s', async (_, pieces, message) => {
    const { port } = await listen({ maxMessageBytes: 100_000 });
    const socket = await open(port);
    socket.write(Buffer.concat(pieces));
    const one = await theOnly();
    expect(await ended(one)).toMatchObject({ code: 'PROTOCOL_ERROR', message: expect.stringMatching(message) });
    expect(one.received).toBe(0);
    await closed(socket);
  });

  it('ends a connection with a compression bomb although compression is on', async () => {
    const { port } = await listen({ maxMessageBytes: 100_000, perMessageDeflate: true });
    const socket = await open(port, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    socket.write(piece(fin | compressed | binary, deflateRawSync(Buffer.alloc(50_000_000))));
    expect(await ended(await theOnly())).toMatchObject({ code: 'PROTOCOL_ERROR', message: expect.stringContaining('Max payload size exceeded') });
    await closed(socket);
  });

  it('ends a connection that pings and reads no answer', async () => {
    const { port } = await listen();
    const socket = (await open(port)).pause();
    const flood = Buffer.concat(Array(20_000).fill(piece(fin | ping, Buffer.alloc(125))));
    const one = await theOnly();
    for (let round = 0; round < 20 && one.reason === undefined; round += 1) {
      socket.write(flood);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await ended(one)).code).toBe('CONNECTION_LOST');
  });

  it('holds a bounded number of unfinished bytes of strangers, and ends the one that holds most', async () => {
    const { port } = await listen({ maxMessageBytes: 100_000, maxUnansweredBytes: 250_000 });
    const strangers = await Promise.all([1, 2, 3, 4].map(() => open(port)));
    await eventually(() => seen.length).toBe(4);
    const honest = strangers.pop()!;
    honest.write(piece(fin | binary, Buffer.alloc(5_000)));
    await eventually(() => seen.map(({ received }) => received)).toContain(5_000);
    for (const [index, socket] of strangers.entries()) socket.write(piece(fin | binary, Buffer.alloc(80_000 + index * 5_000), 99_000));
    await eventually(() => seen.filter(({ reason }) => reason !== undefined).length).toBe(1);
    expect(seen.find(({ reason }) => reason !== undefined)?.reason).toMatchObject({
      code: 'ABORTED',
      message: expect.stringContaining('maxUnansweredBytes'),
    });
    honest.write(piece(fin | binary, Buffer.alloc(5_000)));
    await eventually(() => seen.map(({ received }) => received)).toContain(10_000);
  });

  it('counts no bytes of those whom it has answered', async () => {
    const { port } = await listen({ maxMessageBytes: 100_000, maxUnansweredBytes: 100_000 });
    const known = await Promise.all([1, 2, 3].map(() => open(port)));
    await eventually(() => seen.length).toBe(3);
    for (const { connection } of seen) connection.send([Buffer.from([0, 0, 0, 1, 0])]);
    for (const socket of known) socket.write(piece(fin | binary, Buffer.alloc(80_000), 90_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const socket of known) socket.write(Buffer.alloc(10_000));
    await eventually(() => seen.map(({ received }) => received)).toEqual([90_000, 90_000, 90_000]);
  });

  const endedByForce = (): Seen[] => seen.filter(({ reason }) => reason?.code === 'ABORTED' && reason.message.includes('maxUnansweredBytes'));

  it.each([
    ['after it was rejected', false],
    ['together with what it was rejected for', true],
  ])('bounds the unfinished bytes that strangers send %s', async (_, together) => {
    const { port } = await listen({ maxMessageBytes: 100_000, maxUnansweredBytes: 250_000, closeTimeoutMs: 20_000 }, ({ connection }) => {
      const reject = (): void => {
        connection.send([Buffer.from([0, 0, 0, 1, 0])]);
        connection.close();
      };
      // The verdict may take a moment.
      if (together) setTimeout(reject, 30);
      else reject();
    });
    const strangers = await Promise.all([1, 2, 3, 4].map(() => open(port)));
    const hello = piece(fin | binary, Buffer.alloc(40));
    for (const socket of strangers) {
      if (together) {
        socket.write(Buffer.concat([hello, piece(fin | binary, Buffer.alloc(60_000), 99_000)]));
        await once(socket, 'data');
        socket.write(Buffer.alloc(20_000));
      } else {
        socket.write(hello);
        await once(socket, 'data');
        socket.write(piece(fin | binary, Buffer.alloc(80_000), 99_000));
      }
    }
    await eventually(() => endedByForce().length).toBe(1);
    expect(seen.filter(({ reason }) => reason === undefined).length).toBe(3);
  });

  it('bounds the unfinished bytes of those that it closes, what they had sent before included', async () => {
    const { port } = await listen({ maxMessageBytes: 100_000, maxUnansweredBytes: 250_000, closeTimeoutMs: 20_000 });
    const known = await Promise.all([1, 2, 3, 4].map(() => open(port)));
    await eventually(() => seen.length).toBe(4);
    for (const { connection } of seen) connection.send([Buffer.from([0, 0, 0, 1, 0])]);
    for (const socket of known) socket.write(piece(fin | binary, Buffer.alloc(80_000), 84_000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(endedByForce()).toEqual([]);
    for (const { connection } of seen) connection.close();
    await eventually(() => endedByForce().length).toBe(1);
    // The others say goodbye as ever: the rest of the message, and a close frame.
    const others = seen.map(({ reason }, index) => (reason === undefined ? known[index]! : undefined)).filter((socket) => socket !== undefined);
    for (const [index, socket] of others.entries()) {
      socket.resume().write(Buffer.concat([Buffer.alloc(4_000), piece(fin | 0x08, Buffer.from([0x03, 0xe8]))]));
      await eventually(() => seen.filter(({ reason }) => reason?.code === 'CLOSED').length).toBe(index + 1);
    }
  });

  it.each([
    ['ends within a body', [piece(fin | binary, Buffer.from([0, 0, 0, 2, 7]))]],
    ['ends within a header', [piece(fin | binary, Buffer.from([0, 0, 0, 1, 7, 0, 0, 0]))]],
    ['ends within a frame that began in another fragment', [piece(binary, Buffer.from([0, 0])), piece(fin, Buffer.from([0, 2, 7]))]],
    ['announces a length beyond it', [piece(fin | binary, Buffer.from([0xff, 0xff, 0xff, 0xff, 7]))]],
    ['holds nothing', [piece(fin | binary, Buffer.alloc(0))]],
  ])('ends a connection with a message that %s', async (_, pieces) => {
    const { port } = await listen();
    const socket = await open(port);
    socket.write(Buffer.concat([piece(fin | binary, Buffer.from([0, 0, 0, 1, 7])), ...pieces, piece(fin | binary, Buffer.from([9]))]));
    const one = await theOnly();
    expect(await ended(one)).toMatchObject({ code: 'PROTOCOL_ERROR', message: expect.stringContaining('whole frames') });
    expect(one.received).toBe(5);
  });

  it('takes whole frames, however their message is cut into fragments', async () => {
    const { port } = await listen();
    const socket = await open(port);
    const frames = Buffer.from([0, 0, 0, 1, 7, 0, 0, 0, 2, 8, 8]);
    socket.write(Buffer.concat([...frames].map((byte, index) => piece(index === 0 ? binary : index === 10 ? fin : 0, Buffer.from([byte])))));
    const one = await theOnly();
    await eventually(() => one.received).toBe(11);
  });

  it('bounds the connections that are no WebSocket yet: the oldest silent one gives way', async () => {
    const { port } = await listen({ maxPendingUpgrades: 3 });
    const worker = await open(port);
    const talker = await raw(port);
    talker.write('GET /synapse HTTP/1.1\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const silent: net.Socket[] = [];
    for (let count = 0; count < 5; count += 1) silent.push(await raw(port));
    await Promise.all(silent.slice(0, 3).map(closed));
    await open(port);
    await closed(silent[3]!);
    expect([worker.closed, talker.closed, silent[4]!.closed]).toEqual([false, false, false]);
    expect(seen.map(({ reason }) => reason)).toEqual([undefined, undefined]);
  });

  it('bounds the connections that are no WebSocket yet although all have said something', async () => {
    const { port } = await listen({ maxPendingUpgrades: 3 });
    const talkers: net.Socket[] = [];
    for (let count = 0; count < 5; count += 1) {
      const socket = await raw(port);
      socket.write('G');
      talkers.push(socket);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await Promise.all(talkers.slice(0, 2).map(closed));
    expect(talkers.slice(2).map((socket) => socket.closed)).toEqual([false, false, false]);
  });

  it('does not count the upgraded ones among them, over TLS neither', async () => {
    const { cert, key } = makeCertificate();
    const { listener } = await listen({ maxPendingUpgrades: 1, tls: { cert, key } }, undefined, 'wss://localhost:0/');
    const dialled: WebSocket[] = [];
    // One after the other: they would push each other out.
    for (let count = 0; count < 3; count += 1) {
      const socket = new WebSocket(listener.address, { ca: cert });
      await once(socket, 'open');
      dialled.push(socket);
    }
    const silent = [await raw(Number(new URL(listener.address).port), 'localhost')];
    silent.push(await raw(Number(new URL(listener.address).port), 'localhost'));
    await closed(silent[0]!);
    expect(dialled.map(({ readyState }) => readyState)).toEqual([1, 1, 1]);
    for (const socket of dialled) socket.terminate();
  });

  it('bounds what a peer that never reads costs', async () => {
    const { port } = await listen();
    (await open(port)).pause();
    const { connection } = await theOnly();
    const frame = Buffer.alloc(65_536);
    frame.writeUInt32BE(65_532);
    let accepted = 0;
    while (connection.send([frame])) {
      accepted += frame.length;
      expect(accepted).toBeLessThan(64 * 1_048_576);
      await new Promise((resolve) => setImmediate(resolve));
    }
    connection.close();
    expect(await ended(seen[0]!)).toMatchObject({ code: 'ABORTED', message: expect.stringContaining('were not taken within 200 ms') });
  });

  it('gives those who say nothing a bounded time, and those who say it slowly', async () => {
    const { port } = await listen({ handshakeTimeoutMs: 200, maxPendingUpgrades: 400 });
    const silent = await Promise.all(Array.from({ length: 300 }, () => raw(port)));
    const slow = await raw(port);
    const drip = setInterval(() => slow.write('G'), 20);
    await Promise.all([...silent, slow].map(closed));
    clearInterval(drip);
    expect(seen).toEqual([]);
    await open(port);
  });

  it('bounds the number of connections, and takes new ones when old ones have gone', async () => {
    const { port } = await listen({ maxConnections: 2 });
    const [first] = [await open(port), await open(port)];
    await closed(await raw(port));
    first.destroy();
    await eventually(() => seen.filter(({ reason }) => reason !== undefined).length).toBe(1);
    await open(port);
  });

  it.each([
    ['a web page', { Origin: 'https://evil.example' }, '403 Web pages of this origin may not connect (allowOrigins)'],
    ['a page without an origin of its own', { Origin: 'null' }, '403 Web pages'],
    ['an origin that only begins like an allowed one', { Origin: 'https://console.example.com.evil.example' }, '403 Web pages'],
    ['an old version', { 'Sec-WebSocket-Version': '7' }, '400 Bad Request'],
    ['no key', { 'Sec-WebSocket-Key': 'short' }, '400 Bad Request'],
  ])('refuses %s', async (_, headers, status) => {
    const { port } = await listen({ allowOrigins: ['https://console.example.com'] });
    const socket = await raw(port);
    expect(await upgrade(socket, headers)).toContain(`HTTP/1.1 ${status}`);
    await closed(socket);
    expect(seen).toEqual([]);
  });

  it('takes an allowed origin, and offers no compression and no subprotocol', async () => {
    const { port } = await listen({ allowOrigins: ['https://console.example.com'] });
    const socket = await raw(port);
    const key = randomBytes(16).toString('base64');
    const answer = await upgrade(socket, {
      Origin: 'https://console.example.com',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Extensions': 'permessage-deflate',
      'Sec-WebSocket-Protocol': 'a, b',
    });
    expect(answer).toMatch(/^HTTP\/1.1 101/);
    expect(answer).toContain(createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'));
    expect(answer).not.toMatch(/extensions|sec-websocket-protocol/i);
  });

  it('does nothing else at its port', async () => {
    const { port } = await listen();
    const plain = await fetch(`http://127.0.0.1:${port}/synapse`);
    expect([plain.status, await plain.text()]).toEqual([426, 'Only WebSocket connections are served here.\n']);
    const socket = await raw(port);
    expect(await upgrade(socket, {}, '/elsewhere')).toMatch(/^HTTP\/1.1 4/);
    expect(seen).toEqual([]);
  });

  it('loses a peer that is there and answers no ping', async () => {
    const { port } = await listen({ pingIntervalMs: 40 });
    const socket = await open(port);
    socket.resume();
    expect(await ended(await theOnly())).toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('answered no ping') });
  });

  it('keeps a peer that answers pings, however long it says nothing', async () => {
    const { listener } = await listen({ pingIntervalMs: 40 });
    const socket = new WebSocket(listener.address);
    await once(socket, 'open');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await theOnly()).reason).toBeUndefined();
    socket.terminate();
  });
});
