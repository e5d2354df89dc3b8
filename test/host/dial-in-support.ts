import { onTestFinished } from 'vitest';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { HostListener } from '../../src/host/dial-in/dial-in.js';
import type { InstallOptions } from '../../src/host/host-options.js';
import type { Plugin as PluginHandle } from '../../src/host/plugin.js';
import type { Connection, Transport } from '../../src/interfaces/transport.js';
import { manifestDigest } from '../../src/manifest/manifest-digest.js';
import type { HelloFields, RejectMessage, WelcomeFields } from '../../src/messages/message.js';
import { noReceiver, performHandshake } from '../../src/session/handshake.js';
import type { IncomingCall } from '../../src/session/incoming-call.js';
import { MessageConnection } from '../../src/session/message-connection.js';
import { Session, type SessionEnd } from '../../src/session/session.js';
import { sha256 } from '../../src/testing/sha256.js';
import type { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { RawPeer } from '../session/raw-peer.js';
import { codec } from '../session/session-pair.js';
import { createRig, manifestText, type Rig, type RigOptions } from './support.js';

/** A transport in memory, with the faults of every connection in the test's hands. */
export interface DialRig extends Rig {
  readonly listener: HostListener;
  /** Connects to the host; [1] is the dialler's end. */
  dial(): MemoryPair;
}

export async function createDialRig(options: RigOptions = {}): Promise<DialRig> {
  const rig = createRig(options);
  const { transport, dial } = loopback(rig.clock);
  const listener = await rig.host.listen(transport, 'memory:host');
  return { ...rig, listener, dial };
}

/** A transport with one address. */
export function loopback(clock: SimulatedClock): { readonly transport: Transport; dial(): MemoryPair; readonly listening: boolean } {
  let accept: ((connection: Connection) => void) | undefined;
  let dialled = 0;
  const dial = (): MemoryPair => {
    dialled += 1;
    const pair = createMemoryPair({ clock, seed: dialled, names: ['memory:host', `memory:peer-${dialled}`] });
    if (accept === undefined) pair[1].close({ abort: true });
    else accept(pair[0]);
    return pair;
  };
  return {
    get listening() {
      return accept !== undefined;
    },
    dial,
    transport: {
      name: 'loopback',
      dial: async () => dial()[1],
      async listen(address, onConnection) {
        accept = onConnection;
        return {
          address,
          async close() {
            accept = undefined;
          },
        };
      },
    },
  };
}

/** The manifest of a plugin whose workers dial in. */
export function externalManifest(parts: Parameters<typeof manifestText>[0] = {}): string {
  return manifestText({ ...parts, more: { runtime: { type: 'external' }, ...parts.more } });
}

export const digest = (text: string): string => manifestDigest(new TextEncoder().encode(text), { sha256 });

export async function installExternal(
  rig: Rig,
  parts: Parameters<typeof manifestText>[0] & { readonly install?: InstallOptions } = {},
): Promise<{ readonly plugin: PluginHandle; readonly manifest: string; readonly hello: HelloFields }> {
  const { install, ...rest } = parts;
  const manifest = externalManifest(rest);
  const plugin = await rig.host.install({ manifest, manifestFileName: 'manifest.json' }, install);
  return { plugin, manifest, hello: helloOf(manifest) };
}

export function helloOf(manifest: string, more: Partial<HelloFields> = {}): HelloFields {
  const { id, version } = JSON.parse(manifest) as { id: string; version: string };
  return {
    versions: [1],
    role: 'worker',
    plugin: { id, version },
    manifestDigest: digest(manifest),
    sdk: { name: 'remote', version: '0', language: 'test' },
    features: ['resume'],
    requiredFeatures: [],
    ...more,
  };
}

/** A peer that says a hello and keeps no rule by itself. */
export function rawDial(
  rig: DialRig,
  hello: HelloFields | undefined,
): { readonly peer: RawPeer; readonly pair: MemoryPair; reject(): RejectMessage | undefined } {
  const pair = rig.dial();
  const peer = new RawPeer(pair[1]);
  if (hello !== undefined) peer.send({ kind: 'hello', fields: hello });
  return { peer, pair, reject: () => peer.of('reject')[0] };
}

/** What the host answers to a hello: the code of its reject, `welcome`, `closed`, or nothing. */
export async function answerTo(rig: DialRig, hello: HelloFields): Promise<string | undefined> {
  const { peer, reject } = rawDial(rig, hello);
  await rig.clock.settle();
  if (peer.of('welcome').length > 0) {
    peer.close();
    return 'welcome';
  }
  return reject()?.code ?? (peer.closed === undefined ? undefined : 'closed');
}

/** A worker elsewhere that can resume its session. */
export class RemoteWorker {
  /** Handlers by method. */
  readonly methods: Record<string, (call: IncomingCall) => unknown> = {};
  readonly oneWays: { method: string; params: unknown }[] = [];
  readonly ends: SessionEnd[] = [];
  /** What is called at the host, when it is loaded. */
  onLoad: (session: Session) => unknown = () => ({ methods: [], streams: [], events: [] });
  pair!: MemoryPair;
  session!: Session;
  welcome!: WelcomeFields;
  readonly #rig: DialRig;
  readonly #sessions: Session[] = [];
  readonly hello: HelloFields;

  constructor(rig: DialRig, hello: HelloFields) {
    this.#rig = rig;
    this.hello = hello;
    onTestFinished(() => {
      for (const session of this.#sessions) session.abort('The test is over.');
    });
  }

  /** Dials in, by token or, after its session has ended, by the secret of its last welcome. Rejects with the code of the reject. */
  async connect(hello: HelloFields = this.hello): Promise<WelcomeFields> {
    this.pair = this.#rig.dial();
    const { clock } = this.#rig;
    const connection = new MessageConnection(
      { connection: this.pair[1], clock, codec, limits: defaultFrameLimits, maxQueuedBytes: 16 * 1024 * 1024 },
      noReceiver,
    );
    await performHandshake<Session>({
      connection,
      clock,
      hello,
      establish: (_hello, welcome) => {
        this.welcome = welcome;
        this.session = new Session({
          connection,
          clock,
          side: 'peer',
          maxIncomingCalls: 1_000,
          maxOutgoingCalls: 1_000,
          debug: false,
          handlers: {
            onRequest: (call) => void this.#answer(call),
            onOneWay: (method, params) => void this.oneWays.push({ method, params }),
            onEnd: (end) => void this.ends.push(end),
          },
        });
        this.#sessions.push(this.session);
        return this.session;
      },
    });
    return this.welcome;
  }

  /** Breaks the connection for both sides; of what is on its way to the worker the first bytes still arrive. */
  async cut(deliverBytes = 0): Promise<void> {
    this.pair.faults[0].cut({ deliverBytes });
    await this.#rig.clock.settle();
  }

  /** The hello that asks for a resume. */
  resumeHello(more: Partial<NonNullable<HelloFields['resume']>> = {}): HelloFields {
    const resume = { session: this.welcome.session, token: this.welcome.resume?.token ?? '', received: this.session.received, ...more };
    return { ...this.hello, resume };
  }

  /** Dials again and goes on with the session, if the host says so. @returns the host's answer. */
  async resume(hello: HelloFields = this.resumeHello()): Promise<WelcomeFields | RejectMessage | undefined> {
    const pair = this.#rig.dial();
    const answer = await firstAnswer(this.#rig.clock, pair[1], hello, (welcome, rest) => {
      if (welcome.resumed === undefined) return;
      this.pair = pair;
      this.welcome = welcome;
      this.session.resume(rest, welcome.resumed.received);
    });
    await this.#rig.clock.settle();
    return answer;
  }

  async #answer(call: IncomingCall): Promise<void> {
    try {
      if (call.method === 'plugin.load') return call.respond(await this.onLoad(this.session));
      if (call.method === 'plugin.unload') return call.respond(null);
      const method = this.methods[call.method];
      if (method === undefined) throw new WorkerRuntimeError('METHOD_NOT_FOUND', 'There is no such method.');
      call.respond(await method(call));
    } catch (error) {
      call.fail(error);
    }
  }
}

/** Says hello on a connection, and hands it on after the welcome, in the same turn. */
async function firstAnswer(
  clock: SimulatedClock,
  connection: Connection,
  hello: HelloFields,
  onWelcome: (welcome: WelcomeFields, rest: Connection) => void,
): Promise<WelcomeFields | RejectMessage | undefined> {
  const { peekFirstFrame } = await import('../../src/session/peeked-connection.js');
  const { readFirstMessage, sendFirstMessage } = await import('../../src/session/first-message.js');
  const peeking = peekFirstFrame(connection, { clock, timeoutMs: 60_000 });
  sendFirstMessage(connection, { kind: 'hello', fields: hello }, codec);
  try {
    const { body, rest } = await peeking;
    const message = readFirstMessage(body, codec);
    if (message.kind === 'reject') {
      connection.close();
      return message;
    }
    if (message.kind !== 'welcome') return undefined;
    onWelcome(message.fields, rest);
    if (message.fields.resumed === undefined) connection.close({ abort: true });
    return message.fields;
  } catch {
    return undefined;
  }
}
