import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { CloseReason } from '../interfaces/transport.js';
import type { HelloFields, Message, WelcomeFields } from '../messages/message.js';
import type { MessageConnection, MessageReceiver } from './message-connection.js';

/** The protocol versions that this library speaks. */
export const protocolVersions: readonly number[] = [1];
/** The features that this library knows. A side offers those that its connection allows. */
export const protocolFeatures: readonly string[] = ['resume'];
/** How long a handshake may take (docs/protocol.md, section 4). */
export const handshakeTimeoutMs = 10_000;

/** A receiver for the time before the handshake begins: nothing may arrive yet. */
export const noReceiver: MessageReceiver = {
  onMessage(message) {
    throw new WorkerRuntimeError('PROTOCOL_ERROR', `A ${message.kind} message came before the handshake.`);
  },
  onWritable() {},
  onEnd() {},
};

/** What both sides of a handshake need. */
export interface HandshakeOptions<Established> {
  readonly connection: MessageConnection;
  readonly clock: Clock;
  readonly timeoutMs?: number;
  /** Makes the receiver of what follows, at once: the next message may be in the same chunk. */
  establish(hello: HelloFields, welcome: WelcomeFields): Established;
}

/** The host's side: waits for hello, answers with welcome or reject. */
export interface AcceptHandshakeOptions<Established> extends HandshakeOptions<Established> {
  /** Features that the host offers on this connection. Default none. */
  readonly features?: readonly string[];
  /** Features that the host insists on. */
  readonly requiredFeatures?: readonly string[];
  /** Decides about the peer. Throw a `WorkerRuntimeError` to reject it; version and features are filled in. */
  admit(hello: HelloFields): Promise<Omit<WelcomeFields, 'version' | 'features'>> | Omit<WelcomeFields, 'version' | 'features'>;
}

/**
 * Waits for a peer's hello and answers it.
 * Rejects with HANDSHAKE_TIMEOUT, HANDSHAKE_INVALID, UNSUPPORTED_VERSION, MISSING_FEATURE, PROTOCOL_ERROR, CONNECTION_LOST, or what `admit` threw;
 * the connection is closed then.
 */
export function acceptHandshake<Established extends MessageReceiver>(options: AcceptHandshakeOptions<Established>): Promise<Established> {
  const { connection, features = [] } = options;
  return runHandshake(
    options,
    ({ code, message }) => (code === 'PROTOCOL_ERROR' ? rejection('HANDSHAKE_INVALID', message, features) : undefined),
    (message, settle) => {
      if (message.kind !== 'hello') throw new WorkerRuntimeError('PROTOCOL_ERROR', `The first message must be hello, not ${message.kind}.`);
      const hello = message.fields;
      const refuse = (error: WorkerRuntimeError): void => {
        settle.reject(error);
        connection.send(rejection(error.code, error.message, features), 'control');
        connection.finish('The peer was rejected.');
      };
      const version = Math.max(...protocolVersions.filter((candidate) => hello.versions.includes(candidate)));
      if (!Number.isFinite(version)) {
        return refuse(
          new WorkerRuntimeError(
            'UNSUPPORTED_VERSION',
            `The peer speaks protocol ${hello.versions.slice(0, 16).join(', ')}, the host ${protocolVersions.join(', ')}.`,
          ),
        );
      }
      const lacking = hello.requiredFeatures.find((feature) => !features.includes(feature));
      if (lacking !== undefined)
        return refuse(new WorkerRuntimeError('MISSING_FEATURE', `The peer requires the feature "${lacking}", which the host does not offer.`));
      const missing = options.requiredFeatures?.find((feature) => !hello.features.includes(feature));
      if (missing !== undefined)
        return refuse(new WorkerRuntimeError('MISSING_FEATURE', `The host requires the feature "${missing}", which the peer does not offer.`));

      const welcomePeer = (admitted: Omit<WelcomeFields, 'version' | 'features'>): void => {
        if (connection.ended || settle.settled()) return;
        const inForce = features.filter((feature) => hello.features.includes(feature));
        const { resume, ...others } = admitted;
        const welcome = { ...others, version, features: inForce, ...(inForce.includes('resume') && resume !== undefined ? { resume } : {}) };
        connection.send({ kind: 'welcome', fields: welcome }, 'control');
        const established = options.establish(hello, welcome);
        connection.establish(established, welcome.limits, termsInForce(welcome));
        settle.resolve(established);
      };
      const onError = (error: unknown): void =>
        refuse(
          isWorkerRuntimeError(error) ? error : new WorkerRuntimeError('INTERNAL_ERROR', 'The host could not answer the hello.', { cause: error }),
        );
      try {
        const admitted = options.admit(hello);
        if (admitted instanceof Promise) admitted.then(welcomePeer).catch(onError);
        else welcomePeer(admitted);
      } catch (error) {
        onError(error);
      }
    },
  );
}

/** The peer's side: says hello and waits for the answer. Rejects like {@link acceptHandshake}, or with the code of the host's reject. */
export function performHandshake<Established extends MessageReceiver>(
  options: HandshakeOptions<Established> & { readonly hello: HelloFields /** It has been sent already. */; readonly helloSent?: boolean },
): Promise<Established> {
  const { connection, hello } = options;
  const handshake = runHandshake<Established>(
    options,
    () => undefined,
    (message, settle) => {
      if (message.kind === 'reject') {
        settle.reject(
          new WorkerRuntimeError(message.code, `The host rejected this peer: ${message.message}`, { details: { supported: message.supported } }),
        );
        return connection.finish('The host rejected this peer.');
      }
      if (message.kind !== 'welcome')
        throw new WorkerRuntimeError('PROTOCOL_ERROR', `The answer to hello must be welcome or reject, not ${message.kind}.`);
      const welcome = message.fields;
      if (!hello.versions.includes(welcome.version)) {
        throw new WorkerRuntimeError('PROTOCOL_ERROR', `The host chose protocol ${welcome.version}, which was not offered.`);
      }
      const missing = hello.requiredFeatures.find((feature) => !welcome.features.includes(feature));
      if (missing !== undefined) {
        const error = new WorkerRuntimeError('MISSING_FEATURE', `This peer requires the feature "${missing}", which the host does not offer.`);
        settle.reject(error);
        connection.establish(noReceiver, welcome.limits);
        return connection.close(error.code, error.message);
      }
      const established = options.establish(hello, welcome);
      connection.establish(established, welcome.limits, termsInForce(welcome));
      settle.resolve(established);
    },
  );
  try {
    if (options.helloSent !== true) connection.send({ kind: 'hello', fields: hello }, 'control');
  } catch (error) {
    connection.fail(isWorkerRuntimeError(error) ? error : new WorkerRuntimeError('INTERNAL_ERROR', 'The hello could not be made.', { cause: error }));
  }
  return handshake;
}

/** What both sides keep for a resume; undefined where the feature is not in force. */
function termsInForce({ features, resume }: WelcomeFields): WelcomeFields['resume'] {
  return features.includes('resume') ? resume : undefined;
}

function rejection(code: string, message: string, features: readonly string[]): Message {
  return { kind: 'reject', code, message, supported: { versions: protocolVersions, features } };
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
  settled(): boolean;
}

/** One message decides; the timer and the end of the connection are watched meanwhile. */
function runHandshake<Established extends MessageReceiver>(
  { connection, clock, timeoutMs = handshakeTimeoutMs }: HandshakeOptions<Established>,
  lastWord: (violation: WorkerRuntimeError) => Message | undefined,
  onFirstMessage: (message: Message, settle: Settle<Established>) => void,
): Promise<Established> {
  return new Promise((resolve, reject) => {
    let state: 'waiting' | 'deciding' | 'settled' = 'waiting';
    const timer = clock.setTimer(timeoutMs, () => {
      settle.reject(new WorkerRuntimeError('HANDSHAKE_TIMEOUT', `The handshake did not end within ${timeoutMs} ms.`));
      connection.abort('The handshake took too long.');
    });
    const settle: Settle<Established> = {
      settled: () => state === 'settled',
      resolve(value) {
        if (state === 'settled') return;
        state = 'settled';
        timer.cancel();
        resolve(value);
      },
      reject(error) {
        if (state === 'settled') return;
        state = 'settled';
        timer.cancel();
        reject(error);
      },
    };
    connection.receiver = {
      onMessage(message) {
        if (state !== 'waiting') throw new WorkerRuntimeError('PROTOCOL_ERROR', `A ${message.kind} message came before the handshake was over.`);
        state = 'deciding';
        onFirstMessage(message, settle);
      },
      onWritable() {},
      lastWord,
      onEnd(reason: CloseReason, violation) {
        const code = reason.code === 'PROTOCOL_ERROR' ? reason.code : 'CONNECTION_LOST';
        settle.reject(violation ?? new WorkerRuntimeError(code, `The connection ended during the handshake: ${reason.message}`));
      },
    };
  });
}
