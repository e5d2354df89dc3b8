import type { LaunchedWorker } from '../interfaces/launcher.js';
import type { CloseReason } from '../interfaces/transport.js';
import { acceptHandshake, noReceiver } from '../session/handshake.js';
import { MessageConnection } from '../session/message-connection.js';
import { type Loss, Session, type SessionEnd } from '../session/session.js';
import type { WorkerIdentity, WorkerOptions } from './worker-options.js';

/** Calls of the host beside those that count against `maxConcurrency`: a worker that is fully busy must still be told to unload. */
const spareOutgoingCalls = 16;

/** What a worker does about its session. */
export interface WorkerSessionEvents {
  /** The session has begun; the worker's next message may be in the same chunk. */
  onSession(session: Session): void;
  onDrain(reason: string | undefined): void;
  /** Its connection was lost, and the session waits for it to connect again. */
  onSuspend(reason: CloseReason): void;
  /** It has connected again. */
  onResume(): void;
  explainLoss(end: SessionEnd): Promise<Loss>;
}

/** Waits for the hello of a launched worker and answers it. Rejects as `acceptHandshake` does. */
export async function openSession(
  options: WorkerOptions,
  launched: LaunchedWorker,
  worker: WorkerIdentity,
  events: WorkerSessionEvents,
): Promise<void> {
  const { codec, limits, maxQueuedBytes, maxIncomingCalls, maxConcurrency, debug, timings, handlers } = options;
  const { clock } = options.platform;
  const connection = new MessageConnection(
    { connection: launched.connection, clock, codec, limits, maxQueuedBytes, stallTimeoutMs: timings.stallTimeoutMs },
    noReceiver,
  );
  await acceptHandshake<Session>({
    connection,
    clock,
    timeoutMs: timings.startTimeoutMs,
    features: options.features,
    admit: (hello) => options.admit(hello),
    establish: () => {
      const session = new Session({
        connection,
        clock,
        side: 'host',
        maxIncomingCalls,
        maxOutgoingCalls: maxConcurrency + spareOutgoingCalls,
        debug,
        handlers: {
          onRequest: (call) => handlers.onRequest(worker, call),
          onOneWay: (method, params) => handlers.onOneWay(worker, method, params),
          onOneWayCredit: () => handlers.onOneWayCredit(worker),
          onDrain: (_graceMs, reason) => events.onDrain(reason),
          onViolation: (error) => handlers.onViolation(worker, error),
          onSuspend: (reason) => events.onSuspend(reason),
          onResume: () => events.onResume(),
          explainLoss: (end) => events.explainLoss(end),
          onEnd: () => {},
        },
      });
      events.onSession(session);
      return session;
    },
  });
}
