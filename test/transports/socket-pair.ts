import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two sockets that are joined to each other over a Unix socket. `dispose` removes the folder that it stood in. */
export async function socketPair(): Promise<{ left: net.Socket; right: net.Socket; dispose(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'synapse-test-'));
  const server = net.createServer({ allowHalfOpen: false }).listen(join(folder, 's'));
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const left = net.connect(join(folder, 's'));
  const [right] = await accepted;
  if (left.connecting) await once(left, 'connect');
  return {
    left,
    right,
    async dispose() {
      left.destroy();
      right.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
