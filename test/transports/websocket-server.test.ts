import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { Readable } from 'node:stream';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import type { Connection, TransportListener } from '../../src/interfaces/transport.js';
import { webSocketTransport } from '../../transports/websocket/index.js';

/** A loaded machine needs its time. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 4_000 });

let steps: (() => unknown)[] = [];
const connections: Connection[] = [];

afterEach(async () => {
  await Promise.all(connections.splice(0).map((connection) => new Promise<void>((resolve) => end(connection, resolve))));
  for (const step of steps.reverse()) await step();
  steps = [];
});

function end(connection: Connection, resolve: () => void): void {
  connection.start({ onData() {}, onWritable() {}, onClose: () => resolve() });
  connection.close({ abort: true });
}

const keep = (connection: Connection): void => void connections.push(connection);

async function listen(transport: ReturnType<typeof webSocketTransport>, address: string): Promise<TransportListener> {
  const listener = await transport.listen(address, keep);
  steps.push(() => listener.close());
  return listener;
}

async function serve<S extends http.Server>(server: S, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  steps.push(() => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()));
  return (server.address() as AddressInfo).port;
}

const open = (server: http.Server): Promise<number> =>
  new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));

/** An upgrade request by hand. @returns the whole answer. */
async function ask(port: number, path: string, upgrade: string, more = '', body = ''): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  steps.push(() => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n${more}\r\n${body}`);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

describe("[websocket.attached] on somebody else's server", () => {
  it('takes its path, leaves requests and other upgrades alone, and leaves when closed', async () => {
    const server = http.createServer((request, response) => response.end(`page ${request.url}`));
    const port = await serve(server);
    const other = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') other.handleUpgrade(request, socket, head, (theirs) => theirs.send('theirs'));
    });
    const transport = webSocketTransport({ server });
    const one = await listen(transport, `ws://127.0.0.1:${port}/synapse`);
    const two = await listen(transport, `ws://127.0.0.1:${port}/second`);
    keep(await transport.dial(`${one.address}?as=query`));
    keep(await transport.dial(two.address));
    await eventually(() => connections.length).toBe(4);

    const theirs = new WebSocket(`ws://127.0.0.1:${port}/other`);
    expect(String((await once(theirs, 'message'))[0])).toBe('theirs');
    theirs.terminate();
    expect(await (await fetch(`http://127.0.0.1:${port}/synapse`)).text()).toBe('page /synapse');

    await one.close();
    keep(await transport.dial(two.address));
    expect(server.listenerCount('upgrade')).toBe(2);
    await two.close();
    expect(server.listenerCount('upgrade')).toBe(1);
    expect(server.listening).toBe(true);
  });

  it('passes on upgrade requests that nobody takes as the ordinary requests that they were before', async () => {
    const server = http.createServer((request, response) => response.end(`page ${request.url} for ${request.headers.upgrade}`));
    const port = await serve(server);
    expect(await ask(port, '/a', 'h2c', 'X-Before: 1\r\nConnection: close\r\n')).toContain('page /a for h2c');
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/synapse`);
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/second`);
    expect(await ask(port, '/a', 'h2c')).toContain('page /a for h2c');
    expect(await ask(port, '/synapse', 'h2c')).toContain('page /synapse for h2c');
    expect(await ask(port, '/elsewhere', 'websocket')).toContain('page /elsewhere for websocket');
    expect(await ask(port, '/a', 'h2c', 'Connection: keep-alive, Upgrade\r\n')).toContain('page /a for h2c');
  });

  it('passes them on with their body, and nothing that hides behind them', async () => {
    const pages: string[] = [];
    const server = http.createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      pages.push(`${request.method} ${request.url} ${body}`);
      response.end('done');
    });
    const port = await serve(server);
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/synapse`);
    await ask(port, '/a', 'h2c', 'Content-Length: 5\r\n', 'helloGET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await ask(port, '/b', 'websocket', 'Transfer-Encoding: chunked\r\n', '5\r\nworld\r\n0\r\n\r\n');
    await ask(port, '/c', 'websocket', '', 'GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(pages).toEqual(['GET /a hello', 'GET /b world', 'GET /c ']);
  });

  it('passes them on with answers of any length', async () => {
    const server = http.createServer((_request, response) => void Readable.from(Array(200).fill(Buffer.alloc(65_536, 'x'))).pipe(response));
    const port = await serve(server);
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/synapse`);
    expect((await ask(port, '/a', 'websocket')).match(/x/g)).toHaveLength(200 * 65_536);
  });

  it('answers them by itself where the server answers no requests', async () => {
    const server = http.createServer();
    const port = await serve(server);
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/synapse`);
    expect(await ask(port, '/a', 'websocket')).toContain('HTTP/1.1 400');
  });

  it.each(['http', 'https'])('keeps no socket of theirs when their client has gone: %s', async (scheme) => {
    const certificate = makeCertificate();
    const server = scheme === 'http' ? http.createServer() : https.createServer(certificate);
    const ends: string[] = [];
    server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
      request.once('close', () => ends.push('request'));
      response.once('close', () => ends.push('response'));
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const port = await serve(server);
    await listen(webSocketTransport({ server }), `${scheme === 'http' ? 'ws' : 'wss'}://localhost:${port}/synapse`);
    for (let client = 0; client < 8; client += 1) {
      const socket = scheme === 'http' ? net.connect(port, '127.0.0.1') : tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      steps.push(() => socket.destroy());
      socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      await once(socket, 'data');
      if (client % 2 === 0) socket.destroy();
      else socket.end();
    }
    await eventually(() => ends.filter((each) => each === 'response').length).toBe(8);
    expect(ends.filter((each) => each === 'request').length).toBe(8);
    await eventually(() => open(server)).toBe(0);
  });

  it('over an https.Server', async () => {
    const { cert, key } = makeCertificate();
    const server = https.createServer({ cert, key });
    const port = await serve(server);
    const transport = webSocketTransport({ server, tls: { ca: cert } });
    await expect(transport.listen(`ws://localhost:${port}/`, keep)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const listener = await listen(transport, `wss://localhost:${port}/`);
    keep(await transport.dial(listener.address));
    await eventually(() => connections.length).toBe(2);
  });

  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && !address.internal && address.family === 'IPv4')?.address;

  it.skipIf(outside === undefined)('refuses who comes from another machine in the clear', async () => {
    const server = http.createServer();
    const port = await serve(server, '0.0.0.0');
    await listen(webSocketTransport({ server }), `ws://127.0.0.1:${port}/guarded`);
    await listen(webSocketTransport({ server, allowInsecure: true }), `ws://127.0.0.1:${port}/open`);
    const careless = webSocketTransport({ allowInsecure: true });
    await expect(careless.dial(`ws://${outside}:${port}/guarded`)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('403 TLS is needed here'),
    });
    keep(await careless.dial(`ws://${outside}:${port}/open`));
  });
});

it('a message never has more bytes than the other side takes, whatever its frames are', async () => {
  const transport = webSocketTransport({ maxMessageBytes: 40_000 });
  let received = 0;
  const listener = await transport.listen('', (connection) => {
    const onData = (chunk: Uint8Array): void => {
      received += chunk.length;
    };
    // It ends with the other side, which is aborted after the test.
    connection.start({ onData, onWritable() {}, onClose() {} });
  });
  steps.push(() => listener.close());
  const dialled = await transport.dial(listener.address);
  connections.push(dialled);
  expect(dialled.maxFrameBytes).toBe(30_000);
  const frames = [9_990, 30_000, 12, 30_000, 29_999, 30_000].map((length) => {
    const frame = Buffer.alloc(length);
    frame.writeUInt32BE(length - 4);
    return frame;
  });
  dialled.send(frames);
  await eventually(() => received).toBe(frames.reduce((sum, frame) => sum + frame.length, 0));
});

describe('[websocket.secure] a WebSocket address', () => {
  it.each(['ws://example.com/', 'ws://10.0.0.1:80/', 'ws://0.0.0.0:0/', 'ws://[::]:0/', 'ws://127.0.0.1.example.com/', 'ws://localhost.evil/'])(
    'in the clear and beyond this machine is refused: %s',
    async (address) => {
      const transport = webSocketTransport();
      const refusal = { code: 'INVALID_ARGUMENT', message: expect.stringMatching(/in the clear; use wss:, or pass allowInsecure: true/) };
      await expect(transport.dial(address)).rejects.toMatchObject(refusal);
      await expect(transport.listen(address, keep)).rejects.toMatchObject(refusal);
    },
  );

  it.each(['http://localhost/', 'ws:', 'unix:/a', 'wss://user:secret@localhost/', 'wss://localhost/#part'])('is refused: %s', async (address) => {
    const transport = webSocketTransport();
    const refusal = { code: 'INVALID_ARGUMENT', message: expect.not.stringContaining('secret') };
    await expect(transport.dial(address)).rejects.toMatchObject(refusal);
    await expect(transport.listen(address, keep)).rejects.toMatchObject(refusal);
  });

  it('needs a certificate to be listened at', async () => {
    await expect(webSocketTransport().listen('wss://localhost:0/', keep)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('pass tls: { cert, key }'),
    });
  });

  it('is trusted only if its certificate is, whatever the environment says', async () => {
    const { cert, key } = makeCertificate();
    const listener = await listen(webSocketTransport({ tls: { cert, key } }), 'wss://localhost:0/');
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await expect(webSocketTransport().dial(listener.address)).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        message: expect.stringContaining('tls.ca'),
      });
      const other = webSocketTransport({ tls: { ca: cert, servername: 'another.example' } });
      await expect(other.dial(listener.address)).rejects.toMatchObject({ code: 'CONNECTION_LOST', message: expect.stringContaining('tls.ca') });
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
    keep(await webSocketTransport({ tls: { ca: [cert] } }).dial(listener.address));
  });

  it('may ask for a certificate of whoever dials', async () => {
    const server = makeCertificate();
    const client = makeCertificate();
    expect(() => webSocketTransport({ tls: { ...server, requireClientCertificate: true } })).not.toThrow();
    await expect(webSocketTransport({ tls: { ...server, requireClientCertificate: true } }).listen('', keep)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    const listener = await listen(webSocketTransport({ tls: { ...server, ca: client.cert, requireClientCertificate: true } }), 'wss://localhost:0/');
    await expect(webSocketTransport({ tls: { ca: server.cert } }).dial(listener.address)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    keep(await webSocketTransport({ tls: { ...client, ca: server.cert } }).dial(listener.address));
  });

  it('shows no query in descriptions and errors', async () => {
    const listener = await listen(webSocketTransport(), 'ws://127.0.0.1:0/a');
    const dialled = await webSocketTransport().dial(`${listener.address}?token=hush`);
    keep(dialled);
    expect(dialled.peer.description).toBe(listener.address);
    await eventually(() => connections.length).toBe(2);
    expect(connections.every(({ peer }) => /^(?:ws:\/\/)?127\.0\.0\.1:\d+(?:\/a)?$/.test(peer.description))).toBe(true);
    await listener.close();
    await expect(webSocketTransport().dial(`${listener.address}?token=hush`)).rejects.toMatchObject({ message: expect.not.stringContaining('hush') });
  });

  it('that is taken is refused, and one that was left can be had again', async () => {
    const first = await listen(webSocketTransport(), 'ws://127.0.0.1:0/');
    await expect(webSocketTransport().listen(first.address, keep)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    keep(await webSocketTransport().dial(first.address));
    await eventually(() => connections.length).toBe(2);
    await first.close();
    const second = await listen(webSocketTransport(), first.address);
    keep(await webSocketTransport().dial(second.address));
  });

  it('that answers nothing, or something else, is given up', async () => {
    const silent = net.createServer((socket) => void steps.push(() => socket.destroy())).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    steps.push(() => new Promise((resolve) => silent.close(resolve)));
    const address = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    await expect(webSocketTransport({ handshakeTimeoutMs: 60 }).dial(address)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('no answer within 60 ms (handshakeTimeoutMs)'),
    });
    const port = await serve(http.createServer((_request, response) => response.writeHead(302, { location: 'ws://127.0.0.1:1/' }).end()));
    await expect(webSocketTransport().dial(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: expect.stringContaining('the server answered "302 Found"'),
    });
  });
});
