import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { WorkerRuntimeError } from '@synapse/worker-runtime';
import { type Connection, fromDuplex, type Transport, type TransportListener } from '@synapse/worker-runtime/transports/unix';

export interface TlsTransportOptions {
  /** Certificate and private key to listen with, as PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** The authority to trust when dialling, as PEM. Default: those that Node knows. */
  readonly ca?: string;
  /** How long closing a connection may take. Default 2,000 ms. */
  readonly closeTimeoutMs?: number;
}

/** TCP with TLS, as `tls://host:port`. Who dials is told apart by the token of its hello, so no certificate is asked of it. */
export function tlsTransport(options: TlsTransportOptions): Transport {
  const connect = (socket: tls.TLSSocket, description: string): Connection =>
    fromDuplex(socket, { peer: { description }, ...(options.closeTimeoutMs === undefined ? {} : { closeTimeoutMs: options.closeTimeoutMs }) });

  return {
    name: 'tls',

    async dial(address, { signal } = {}) {
      const { host, port } = readAddress(address);
      if (signal?.aborted) throw cancelled(address, signal);
      const socket = tls.connect({ host, port, servername: host, ...(options.ca === undefined ? {} : { ca: options.ca }), rejectUnauthorized: true });
      const onAbort = (): void => void socket.destroy(cancelled(address, signal));
      signal?.addEventListener('abort', onAbort);
      try {
        await once(socket, 'secureConnect');
      } catch (error) {
        socket.destroy();
        if (signal?.aborted) throw cancelled(address, signal);
        throw new WorkerRuntimeError('CONNECTION_LOST', `${address} cannot be reached: ${(error as Error).message}`, { cause: error });
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
      return connect(socket, address);
    },

    async listen(address, accept): Promise<TransportListener> {
      const { host, port } = readAddress(address);
      const { cert, key } = options;
      if (cert === undefined || key === undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', 'To listen pass cert and key.');
      const server = tls.createServer({ cert, key, handshakeTimeout: 10_000 }, (socket) =>
        accept(connect(socket, `${socket.remoteAddress}:${socket.remotePort}`)),
      );
      server.maxConnections = 1_024;
      server.listen(port, host);
      await once(server, 'listening');
      // From now on a failure is that of one connection; the next one may succeed.
      server.on('error', () => {});
      let open = true;
      return {
        address: `tls://${host}:${(server.address() as AddressInfo).port}`,
        async close() {
          // The server has closed when its connections have, and those live on.
          if (open) server.close();
          open = false;
        },
      };
    },
  };
}

function readAddress(address: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^tls:\/\/([^/:]+):(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || port === undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `Write tls://host:port instead of ${address}.`);
  return { host, port: Number(port) };
}

function cancelled(address: string, signal: AbortSignal | undefined): WorkerRuntimeError {
  return new WorkerRuntimeError('CANCELLED', `Dialling ${address} was given up.`, { cause: signal?.reason });
}
