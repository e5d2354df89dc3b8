import net from 'node:net';
import { onTestFinished } from 'vitest';

/** A line between a dialler and a listener on TCP or a Unix socket; a test cuts it whenever it likes. */
export interface CutLine {
  /** Where the dialler connects: a port of 127.0.0.1, or the path of a socket. */
  readonly at: number | string;
  /** Connections so far, those that were refused included. */
  readonly connections: number;
  /** Breaks the connections that are open, without a goodbye and with whatever is under way. */
  cut(): void;
  /** New connections are broken at once, until `heal`. */
  refuse(): void;
  heal(): void;
}

/** @param at path of the socket that the dialler connects to; undefined: a TCP port. @param to where the listener is. */
export async function cutLine(at: string | undefined, to: net.NetConnectOpts): Promise<CutLine> {
  const open = new Set<net.Socket>();
  let connections = 0;
  let refusing = false;
  const server = net.createServer((dialler) => {
    connections += 1;
    if (refusing) return void dialler.destroy();
    const listener = net.connect(to);
    for (const [socket, other] of [
      [dialler, listener],
      [listener, dialler],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => {
    if (at === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(at, resolve);
  });
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return {
    at: at ?? (address as net.AddressInfo).port,
    get connections() {
      return connections;
    },
    cut,
    refuse() {
      refusing = true;
    },
    heal() {
      refusing = false;
    },
  };
}
