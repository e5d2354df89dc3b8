import type { Server, Socket } from 'node:net';

/**
 * Bounds the sockets of a server that are not upgraded yet. They cost a descriptor each, and whoever opens them has shown nothing; so where there are too
 * many, the oldest that has said nothing gives way to the newcomer, or else the oldest. An honest one is upgraded within a few round trips.
 */
export class PendingUpgrades {
  /** By their two ends: TLS stands a socket of its own before the one that was accepted. The oldest come first. */
  readonly #sockets = new Map<string, Socket>();

  /** @param server - one that serves nothing but upgrades. */
  constructor(server: Server, limit: number) {
    server.on('connection', (socket: Socket) => this.#add(socket, limit));
  }

  /** `socket`, or the one below it, is no more one of these. */
  upgraded(socket: Socket): void {
    this.#sockets.delete(endsOf(socket));
  }

  #add(socket: Socket, limit: number): void {
    const ends = endsOf(socket);
    if (this.#sockets.get(ends) === socket) return;
    if (this.#sockets.size >= limit) this.#endOne();
    this.#sockets.set(ends, socket);
    socket.once('close', () => {
      if (this.#sockets.get(ends) === socket) this.#sockets.delete(ends);
    });
  }

  #endOne(): void {
    let [chosen] = this.#sockets;
    for (const each of this.#sockets) {
      if (each[1].bytesRead > 0) continue;
      chosen = each;
      break;
    }
    if (chosen === undefined) return;
    this.#sockets.delete(chosen[0]);
    chosen[1].destroy();
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
