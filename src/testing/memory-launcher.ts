import { createMemoryPair } from '../../transports/memory/memory-pair.js';
import type { LaunchedWorker, Launcher, LaunchRequest, WorkerExit } from '../interfaces/launcher.js';
import type { Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import type { Plugin } from '../plugin/plugin.js';
import { runPlugin } from '../plugin/run-plugin.js';
import { FaultPlan } from './faults.js';
import { HandlerCount } from './handler-count.js';
import type { SimulatedPlatform } from './simulated-platform.js';
import { WatchedConnection } from './watched-connection.js';

/** A worker in memory: a plugin that runs in this very process, at the other end of a real wire. */
export interface MemoryWorker extends LaunchedWorker {
  readonly connection: WatchedConnection;
  /** Ends it as by SIGKILL. */
  crash(): void;
}

/** Starts workers of one plugin in memory, on a simulated clock. */
export class MemoryLauncher implements Launcher {
  readonly name = 'memory';
  readonly isolation = 'none';
  readonly faults = new FaultPlan();
  /** All workers that were ever launched, oldest first. */
  readonly workers: MemoryWorker[] = [];
  readonly handlers: HandlerCount;
  readonly #platform: SimulatedPlatform;
  readonly #codec: ValueCodec;

  constructor(plugin: Plugin, platform: SimulatedPlatform, codec: ValueCodec) {
    this.handlers = new HandlerCount(plugin);
    this.#platform = platform;
    this.#codec = codec;
  }

  launch(request: Pick<LaunchRequest, 'pluginId' | 'pluginVersion' | 'generation' | 'onOutput'>): Promise<MemoryWorker> {
    const { pluginId, pluginVersion, generation } = request;
    const { clock } = this.#platform;
    const pair = createMemoryPair({ clock, names: ['host', `${pluginId} #${generation}`] });
    let resolveExited: (exit: WorkerExit) => void = () => {};
    const exited = new Promise<WorkerExit>((resolve) => {
      resolveExited = resolve;
    });
    const end = (exit: WorkerExit): void => {
      pair.faults[1].cut({ deliverBytes: 0 });
      resolveExited(exit);
    };
    const crash = (): void => end({ exitCode: null, signal: 'SIGKILL' });
    let exitCode = 1;
    // As a process does, the worker ends when its connection is closed, not before.
    const connection = withCloseListener(pair[1], () => resolveExited({ exitCode, signal: null }));
    runPlugin(this.handlers.plugin, { connection, platform: this.#platform, pluginId, pluginVersion, codec: this.#codec }).then(
      (running) =>
        running.ended.then(() => {
          exitCode = running.saidGoodbye ? 0 : 1;
        }),
      (error: unknown) => request.onOutput({ source: 'stderr', text: String(error), truncated: false }),
    );
    const worker: MemoryWorker = {
      connection: new WatchedConnection({ inner: pair[0], clock, codec: this.#codec, faults: this.faults, crash }),
      exited,
      pid: undefined,
      description: `${pluginId} ${pluginVersion} in memory`,
      terminate: () => end({ exitCode: null, signal: 'SIGTERM' }),
      kill: crash,
      crash,
    };
    this.workers.push(worker);
    return Promise.resolve(worker);
  }

  /** Ends the faults of the wire and lets flow what they held back. */
  clearFaults(): void {
    this.faults.clear();
    for (const { connection } of this.workers) if (!connection.ended) connection.release();
  }
}

function withCloseListener(inner: Connection, onClosed: () => void): Connection {
  return {
    start: (handlers) =>
      inner.start({
        onData: (chunk) => handlers.onData(chunk),
        onWritable: () => handlers.onWritable(),
        onClose(reason) {
          handlers.onClose(reason);
          // What the session does about it comes first.
          void Promise.resolve().then(onClosed);
        },
      }),
    send: (chunks) => inner.send(chunks),
    close: (options) => inner.close(options),
    maxFrameBytes: inner.maxFrameBytes,
    peer: inner.peer,
  };
}
