import type http from 'node:http';
import type { Socket } from 'node:net';
import tls from 'node:tls';

/** Takes an upgrade request: the socket is the taker's from then on. */
export type UpgradeTaker = (request: http.IncomingMessage, socket: Socket, head: Buffer) => void;

/** How the listeners of this transport on one server know each other. */
const pathOfListener = Symbol.for('synapse.worker-runtime.websocket.path');

type UpgradeListener = UpgradeTaker & { [pathOfListener]?: string };

/**
 * Takes the WebSocket requests of `server` for `path`, and leaves all others to whoever took them before: to other listeners for upgrades, or, where there
 * are none but those of this transport, to the server's request handler, which is what Node does while nobody listens for upgrades.
 *
 * @returns how to stop.
 */
export function takeUpgrades(server: http.Server, path: string, take: UpgradeTaker): () => void {
  const listener: UpgradeListener = (request, socket, head) => {
    if (isWebSocketRequest(request) && pathOf(request) === path) return take(request, socket, head);
    const listeners = server.listeners('upgrade') as UpgradeListener[];
    const paths = listeners.map((each) => each[pathOfListener]);
    // Somebody else's listener sees it too, or another one of this transport takes it; the first of the latter passes on what none of them takes.
    if (paths.includes(undefined) || (isWebSocketRequest(request) && paths.includes(pathOf(request))) || listeners[0] !== listener) return;
    passOn(server, request, socket, head);
  };
  listener[pathOfListener] = path;
  server.on('upgrade', listener);
  return () => void server.off('upgrade', listener);
}

/** Answers an upgrade request with a status, and ends it. The words are part of the status line, where a client shows them. */
export function refuseUpgrade(socket: Socket, status: number, words: string): void {
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** The path of a request, without its query. */
function pathOf(request: http.IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function isWebSocketRequest(request: http.IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * As the ordinary request as which it would have come without a listener for upgrades. Node has taken its hands off the socket, so it gets the socket anew, as
 * `http.Server` allows, with the same request in front that asks for no upgrade: body, time limits, backpressure and the client's end are Node's concern again.
 * The connection ends with it, so that nobody else's request can be hidden behind this one.
 */
function passOn(server: http.Server, request: http.IncomingMessage, socket: Socket, head: Buffer): void {
  if (server.listenerCount('request') === 0) return refuseUpgrade(socket, 400, 'Nothing to upgrade to here');
  const { rawHeaders } = request;
  let text = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() !== 'connection') text += `${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`;
  socket.unshift(Buffer.concat([Buffer.from(`${text}Connection: close\r\n\r\n`, 'latin1'), head]));
  server.emit(server instanceof tls.Server ? 'secureConnection' : 'connection', socket);
}
