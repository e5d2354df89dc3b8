import type { HelloFields, WelcomeFields } from '../messages/message.js';
import { protocolFeatures } from '../session/handshake.js';
import { Worker } from '../worker/worker.js';
import type { WorkerState } from '../worker/worker-table.js';
import { admitWorker } from './admission.js';
import type { Startable } from './start-requirements.js';
import type { SupervisorOptions } from './supervisor-options.js';

/** What a supervisor wants to know of its worker. */
export interface PluginWorkerEvents {
  /** It is about to be told its grants. @returns how it may resume its session; undefined if it cannot. */
  onAdmitted(session: string, hello: HelloFields): WelcomeFields['resume'];
  onOneWayCredit(): void;
  onState(to: WorkerState): void;
}

/** Makes the next worker of a plugin. It is not started yet. */
export function createPluginWorker(
  options: SupervisorOptions,
  { launcher, runtime }: Startable,
  generation: number,
  events: PluginWorkerEvents,
): Worker {
  const { manifest, createId, directory, platform, workers, frameLimits, maxConcurrency, debug, workerHandlers, onWorkerState, log } = options;
  const { codec, timings, maxIncomingCalls, maxQueuedBytes, clean, withoutSecrets } = workers;
  const { onRequest, onOneWay, onOutput, onViolation, onStragglers } = workerHandlers;
  // Field by field: of a spread V8 makes a shape of its own for each worker.
  return new Worker({
    codec,
    timings,
    maxIncomingCalls,
    maxQueuedBytes,
    clean,
    withoutSecrets,
    launcher,
    launch: { pluginId: manifest.id, pluginVersion: manifest.version, workerId: createId(), generation, runtime, directory },
    platform,
    limits: frameLimits,
    maxConcurrency,
    debug,
    features: launcher.isolation === 'external' ? protocolFeatures : [],
    admit: (hello) => {
      const welcome = admitWorker(hello, generation, { ...options, heartbeatMs: timings.heartbeatMs });
      const resume = events.onAdmitted(welcome.session, hello);
      return resume === undefined ? welcome : { ...welcome, resume };
    },
    handlers: {
      onRequest,
      onOneWay,
      onOutput,
      onViolation,
      onStragglers,
      onUnloadFailed: (worker, error) =>
        log.report('warn', { worker: worker.id, err: error }, 'on_unload failed; the worker is stopped all the same.'),
      onOneWayCredit: () => events.onOneWayCredit(),
      onState: (worker, from, to) => {
        onWorkerState(worker, from, to);
        events.onState(to);
      },
    },
  });
}
