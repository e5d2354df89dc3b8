import { describe, expect, test } from 'vitest';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { msgpackrCodec } from '../../src/messages/codec.js';
import type { HelloFields } from '../../src/messages/message.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { type DialPluginOptions, dialPlugin } from '../../src/plugin/dial-plugin.js';
import { readFirstMessage, sendFirstMessage } from '../../src/session/first-message.js';
import { acceptHandshake, noReceiver } from '../../src/session/handshake.js';
import { MessageConnection } from '../../src/session/message-connection.js';
import { peekFirstFrame } from '../../src/session/peeked-connection.js';
import { Session } from '../../src/session/session.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { gate, rejection } from '../session/session-pair.js';

const codec = msgpackrCodec();

/** A host of one worker, on which a test decides what an attempt meets. */
class DialledHost {
  readonly clock = new SimulatedClock();
  readonly platform = createSimulatedPlatform({ clock: this.clock });
  readonly hellos: HelloFields[] = [];
  readonly attemptsAt: number[] = [];
  readonly ends: string[] = [];
  readonly pairs: MemoryPair[] = [];
  /** What the next attempts meet; then `answer`. */
  refuse: (() => Error | { readonly code: string }) | undefined;
  session: Session | undefined;
  generation = 0;
  windowMs = 10_000;
  canResume = true;
  withResume = true;

  readonly dial: DialPluginOptions['dial'] = async () => {
    this.attemptsAt.push(this.clock.now());
    const refusal = this.refuse?.();
    if (refusal instanceof Error) throw refusal;
    const pair = createMemoryPair({ clock: this.clock });
    this.pairs.push(pair);
    void this.#accept(pair[0], refusal).catch(() => {});
    return pair[1];
  };

  get pair(): MemoryPair {
    return this.pairs.at(-1) as MemoryPair;
  }

  async #accept(connection: Connection, refusal: { readonly code: string } | undefined): Promise<void> {
    const peeked = await peekFirstFrame(connection, { clock: this.clock, timeoutMs: 10_000 });
    const message = readFirstMessage(peeked.body, codec);
    if (message.kind !== 'hello') throw new Error(message.kind);
    this.hellos.push(message.fields);
    if (refusal !== undefined) {
      sendFirstMessage(connection, { kind: 'reject', code: refusal.code, message: 'No.' }, codec);
      connection.close();
      return;
    }
    const { resume } = message.fields;
    const welcome = this.#welcome();
    if (resume !== undefined && this.canResume && resume.session === `s${this.generation}` && this.session?.canResume(resume.received) === true) {
      const resumed = { received: this.session.received };
      sendFirstMessage(connection, { kind: 'welcome', fields: { ...welcome, version: 1, features: ['resume'], resumed } }, codec);
      this.session.resume(peeked.rest, resume.received);
      return;
    }
    this.session?.abort('A fresh session takes its place.');
    this.generation += 1;
    const messages = new MessageConnection(
      { connection: peeked.whole, clock: this.clock, codec, limits: defaultFrameLimits, maxQueuedBytes: 1_000_000 },
      noReceiver,
    );
    await acceptHandshake({
      connection: messages,
      clock: this.clock,
      features: this.withResume ? ['resume'] : [],
      admit: () => this.#welcome(),
      establish: () => {
        this.session = new Session({
          connection: messages,
          clock: this.clock,
          side: 'host',
          maxIncomingCalls: 100,
          maxOutgoingCalls: 100,
          debug: false,
          handlers: { onRequest: (call) => call.respond(null), onOneWay() {}, onEnd: (end) => this.ends.push(end.code) },
        });
        return this.session;
      },
    });
    await this.session?.call('plugin.load', {});
  }

  #welcome() {
    return {
      session: `s${this.generation}`,
      generation: Math.max(1, this.generation),
      plugin: { id: 'remote', version: '1.0.0' },
      grants: [],
      config: {},
      secretConfigKeys: [],
      limits: { ...defaultFrameLimits, maxConcurrency: 8 },
      heartbeatMs: 5_000,
      debug: false,
      resume: { token: 'secret', windowMs: this.windowMs, maxBytes: 100_000 },
    };
  }
}

const identity = { pluginId: 'remote', pluginVersion: '1.0.0', token: 'registration', manifestDigest: 'a'.repeat(64) };

describe('a plugin that dials in', () => {
  test('registers with its token, id and digest, and is called', async () => {
    const host = new DialledHost();
    const running = await dialPlugin(definePlugin({ methods: { echo: (params) => params } }), {
      ...identity,
      dial: host.dial,
      platform: host.platform,
    });
    await host.clock.settle();
    expect(host.hellos[0]).toMatchObject({
      plugin: { id: 'remote', version: '1.0.0' },
      token: 'registration',
      manifestDigest: 'a'.repeat(64),
      features: ['resume'],
    });
    await expect(host.session?.call('echo', [1])).resolves.toEqual([1]);
    host.session?.close('STOPPED', 'Enough.');
    await host.clock.settle();
    expect(await running.ended).toMatchObject({ code: 'STOPPED', goodbye: true });
    expect(host.attemptsAt).toHaveLength(1);
  });

  test('[session.resume] goes on with its session over a new connection, and handlers do not notice', async () => {
    const host = new DialledHost();
    const held = gate<string>();
    const log: string[] = [];
    const plugin = definePlugin({
      methods: { hold: () => held.promise },
      onLoad: () => void log.push('load'),
      onUnload: () => void log.push('unload'),
    });
    await dialPlugin(plugin, { ...identity, dial: host.dial, platform: host.platform });
    await host.clock.settle();
    const call = host.session?.call('hold', {});
    await host.clock.settle();
    host.pair.faults[0].cut();
    await host.clock.advance(1);
    expect(host.hellos[1]).toMatchObject({ resume: { session: 's1', token: 'secret' } });
    expect(host.hellos[1]?.token).toBeUndefined();
    held.open('held');
    await host.clock.settle();
    await expect(call).resolves.toBe('held');
    expect(log).toEqual(['load']);
    expect(host.generation).toBe(1);
  });

  test('[session.resume] begins a fresh session where the host cannot go on: calls in flight are lost, handlers cancelled, hooks run anew', async () => {
    const host = new DialledHost();
    const log: string[] = [];
    const plugin = definePlugin({
      methods: {
        hold: (_params, ctx) =>
          new Promise((resolve) => {
            ctx.signal.addEventListener('abort', () => {
              log.push('cancelled');
              resolve(null);
            });
          }),
        echo: (params) => params,
      },
      onLoad: () => void log.push('load'),
      onUnload: () => void log.push('unload'),
    });
    await dialPlugin(plugin, { ...identity, dial: host.dial, platform: host.platform });
    await host.clock.settle();
    const lost = rejection(host.session?.call('hold', {}) as Promise<unknown>);
    await host.clock.settle();
    host.canResume = false;
    host.pair.faults[0].cut();
    await host.clock.advance(100);
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect(log).toEqual(['load', 'cancelled', 'unload', 'load']);
    expect(host.generation).toBe(2);
    await expect(host.session?.call('echo', 7)).resolves.toBe(7);
  });

  test('looks for a host that is away with growing waits, and comes back when it does', async () => {
    const host = new DialledHost();
    host.refuse = () => new Error('connect ECONNREFUSED');
    const delays: number[] = [];
    const started = dialPlugin(definePlugin({ methods: { echo: (params) => params } }), {
      ...identity,
      dial: host.dial,
      platform: host.platform,
      onRetry: (_error, delayMs) => delays.push(delayMs),
    });
    await host.clock.advance(60_000);
    expect(delays.length).toBeGreaterThan(6);
    expect(delays.length).toBeLessThan(60);
    for (const [index, delay] of delays.entries()) expect(delay).toBeLessThanOrEqual(Math.min(10_000, 100 * 2 ** index));
    host.refuse = undefined;
    await host.clock.advance(10_000);
    await started;
    await expect(host.session?.call('echo', 1)).resolves.toBe(1);
  });

  test('does not dial in a tight circle when the host accepts and breaks at once', async () => {
    const host = new DialledHost();
    await dialPlugin(definePlugin({}), { ...identity, dial: host.dial, platform: host.platform });
    for (let round = 0; round < 200; round += 1) {
      await host.clock.advance(10);
      host.pair.faults[0].cut();
    }
    expect(host.attemptsAt.length).toBeLessThan(25);
  });

  test.each(['UNAUTHENTICATED', 'UNSUPPORTED_VERSION', 'MISSING_FEATURE', 'HANDSHAKE_INVALID'])('does not ask again after %s', async (code) => {
    const host = new DialledHost();
    host.refuse = () => ({ code });
    const error = await rejection(dialPlugin(definePlugin({}), { ...identity, dial: host.dial, platform: host.platform }));
    expect(error).toMatchObject({ code });
    await host.clock.advance(60_000);
    expect(host.attemptsAt).toHaveLength(1);
  });

  test('keeps its session when the host is too busy to answer, and ends with the reason when it is not known any more', async () => {
    const host = new DialledHost();
    const running = await dialPlugin(definePlugin({ methods: { echo: (params) => params } }), {
      ...identity,
      dial: host.dial,
      platform: host.platform,
    });
    await host.clock.advance(20_000);
    host.refuse = () => ({ code: 'OVERLOADED' });
    host.pair.faults[0].cut();
    await host.clock.advance(2_000);
    expect(host.attemptsAt.length).toBeGreaterThan(2);
    host.refuse = undefined;
    await host.clock.advance(5_000);
    expect(host.generation).toBe(1);
    await expect(host.session?.call('echo', 1)).resolves.toBe(1);

    host.refuse = () => ({ code: 'UNAUTHENTICATED' });
    host.pair.faults[0].cut();
    await host.clock.advance(20_000);
    expect(await running.ended).toMatchObject({ code: 'UNAUTHENTICATED', goodbye: false });
  });

  test('gives up after its time, and asks for a fresh session when its own is over', async () => {
    const host = new DialledHost();
    host.windowMs = 3_000;
    const running = await dialPlugin(definePlugin({}), {
      ...identity,
      dial: host.dial,
      platform: host.platform,
      redial: { giveUpAfterMs: 30_000 },
    });
    await host.clock.advance(20_000);
    host.refuse = () => new WorkerRuntimeError('CONNECTION_LOST', 'nobody there');
    host.pair.faults[0].cut();
    await host.clock.advance(10_000);
    host.refuse = undefined;
    await host.clock.advance(10_000);
    expect(host.hellos.at(-1)).toMatchObject({ resume: { session: '', token: 'secret' } });
    expect(host.generation).toBe(2);

    host.refuse = () => new WorkerRuntimeError('CONNECTION_LOST', 'nobody there');
    host.pair.faults[0].cut();
    await host.clock.advance(45_000);
    expect(await running.ended).toMatchObject({ code: 'CONNECTION_LOST' });
    await running.finished;
  });

  test('leaves in order, also while it has no host', async () => {
    const host = new DialledHost();
    const running = await dialPlugin(definePlugin({}), { ...identity, dial: host.dial, platform: host.platform });
    await host.clock.settle();
    host.refuse = () => new Error('away');
    host.pair.faults[0].cut();
    await host.clock.advance(500);
    const stopped = running.stop({ reason: 'Enough.' });
    await host.clock.advance(5_000);
    await stopped;
    await running.finished;
    const attempts = host.attemptsAt.length;
    await host.clock.advance(60_000);
    expect(host.attemptsAt.length).toBe(attempts);
    expect(host.clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  test('ends with its connection where the host does not resume', async () => {
    const host = new DialledHost();
    host.withResume = false;
    const running = await dialPlugin(definePlugin({}), { ...identity, dial: host.dial, platform: host.platform });
    await host.clock.settle();
    host.pair.faults[0].cut();
    await host.clock.advance(100);
    expect(await running.ended).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(host.attemptsAt).toHaveLength(1);
  });
});
