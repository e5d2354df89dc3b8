// A consumer with the types of Node and no DOM, in ES modules. It compiles against dist; nothing here runs.
import { type ErrorCode, isWorkerRuntimeError, type Logger, WorkerRuntimeError } from '@synapse/worker-runtime';
import * as node from '@synapse/worker-runtime/node';
import * as plugin from '@synapse/worker-runtime/plugin';
import * as testing from '@synapse/worker-runtime/testing';
import * as memory from '@synapse/worker-runtime/transports/memory';
import * as stdio from '@synapse/worker-runtime/transports/stdio';
import * as thread from '@synapse/worker-runtime/transports/thread';
import * as unix from '@synapse/worker-runtime/transports/unix';
import * as websocket from '@synapse/worker-runtime/transports/websocket';
import { z } from 'zod';

export const entries = { node, plugin, testing, memory, stdio, thread, unix, websocket };

export function report(error: unknown, logger: Logger): ErrorCode | undefined {
  if (isWorkerRuntimeError(error, 'WORKER_LOST')) logger.warn({ mayHaveRun: error.mayHaveRun }, error.message);
  // @ts-expect-error a code that is not in the table
  isWorkerRuntimeError(error, 'WORKER_LOSED');
  return error instanceof WorkerRuntimeError && error.code === 'CANCELLED' ? 'CANCELLED' : undefined;
}

/** A service as the README shows it: what a contract says is what the calls take and give. */
export async function service(folder: string): Promise<string> {
  const contract = plugin.defineContract({
    methods: { summarize: { params: z.object({ text: z.string() }), result: z.object({ summary: z.string() }) } },
    streams: { narrate: { params: z.object({ text: z.string() }), item: z.string(), result: z.object({ words: z.number() }) } },
  });
  const host = node.createNodeHost({
    policy: { version: 1, rules: [{ effect: 'allow', capability: 'events.publish', scope: { topics: ['a.*'] } }] },
  });
  host.on('worker.state', ({ plugin: id, to, reason }) => console.log(id, to, reason?.action));
  const handle = await host.install(folder, { trust: 'community', config: { sentences: 3 } });
  await handle.start();
  const api = handle.as(contract);
  const { summary } = await api.summarize({ text: 'x' }, { timeoutMs: 5_000, signal: new AbortController().signal });
  // @ts-expect-error the method takes a text
  await api.summarize({ txt: 'x' });
  const stream = api.narrate({ text: 'x' });
  for await (const word of stream) word.toUpperCase();
  const { words } = await stream.result;
  words.toFixed();
  await host.stop();
  return summary;
}

export const author = plugin.definePlugin(
  plugin.defineContract({ methods: { double: { params: z.object({ value: z.number() }), result: z.number() } } }),
  {
    double({ value }, ctx) {
      ctx.log.info({ value }, 'doubling');
      return value * 2;
    },
  },
);
