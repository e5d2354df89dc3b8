import { describe, expect, test } from 'vitest';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { resolveDialInOptions } from '../../src/host/dial-in/dial-in-options.js';
import type { Transport } from '../../src/interfaces/transport.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import { codec } from '../session/session-pair.js';
import { answerTo, createDialRig, type DialRig, installExternal, loopback, RemoteWorker, rawDial } from './dial-in-support.js';
import { controls, createRig, textsIn } from './support.js';

async function prepare(options: Parameters<typeof createDialRig>[0] = {}) {
  const rig = await createDialRig(options);
  const installed = await installExternal(rig);
  const { token } = rig.host.issueToken({ plugin: 'tested', uses: 100 });
  return { rig, ...installed, good: { ...installed.hello, token } };
}

const refused = (rig: DialRig) =>
  rig.host.audit({ kind: 'dial-in' }).flatMap((record) => (record.kind === 'dial-in' && record.outcome === 'refused' ? [record] : []));

describe('the gate', () => {
  test('[dialin.gate-bounded] keeps so many silent connections, closes more at once, and each after its time', async () => {
    const { rig, good } = await prepare();
    const silent = Array.from({ length: 64 }, () => rawDial(rig, undefined));
    await rig.clock.settle();
    expect(silent.every(({ peer }) => peer.closed === undefined)).toBe(true);
    const more = Array.from({ length: 1_000 }, () => rawDial(rig, good));
    await rig.clock.settle();
    expect(more.every(({ peer }) => peer.closed !== undefined && peer.messages.length === 0)).toBe(true);
    await rig.clock.advance(9_999);
    expect(silent.every(({ peer }) => peer.closed === undefined)).toBe(true);
    await rig.clock.advance(1);
    expect(silent.every(({ peer }) => peer.closed !== undefined)).toBe(true);
    expect(await answerTo(rig, good)).toBe('welcome');
    // A flood does not wash the audit out.
    expect(refused(rig)).toHaveLength(100);
    await rig.clock.advance(60_000);
    expect(refused(rig).at(-1)).toMatchObject({ count: 964, code: 'OVERLOADED' });
  });

  test('[dialin.gate-bounded] a hello that comes a byte at a time is let in if it is in time, and ended if not', async () => {
    const { rig, good, plugin } = await prepare();
    const body = encodeMessage({ kind: 'hello', fields: good }, codec, defaultFrameLimits);
    const frame = [0, 0, body.length >> 8, body.length & 255, ...body];
    const quick = rawDial(rig, undefined);
    for (const byte of frame) {
      quick.peer.sendBytes(byte);
      await Promise.resolve();
    }
    await rig.clock.settle();
    expect(quick.peer.of('welcome')).toHaveLength(1);
    quick.pair.faults[1].cut();
    await rig.clock.advance(30_000);
    expect(plugin.state).toBe('idle');
    expect(plugin.reason).toMatchObject({ code: 'DISCONNECTED' });
    const slow = rawDial(rig, undefined);
    for (const byte of frame.slice(0, 100)) {
      slow.peer.sendBytes(byte);
      await rig.clock.advance(100);
    }
    await rig.clock.settle();
    expect(slow.peer.closed).toBeDefined();
    expect(refused(rig).at(-1)).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
  });

  test('[dialin.gate-bounded] whatever is no hello is refused at once, and told why', async () => {
    const { rig, good } = await prepare();
    const body = encodeMessage({ kind: 'hello', fields: good }, codec, defaultFrameLimits);
    const attempts: ((peer: ReturnType<typeof rawDial>['peer']) => void)[] = [
      (peer) => peer.sendBytes(...new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')),
      (peer) => peer.sendBytes(0, 0, 0, 0),
      (peer) => peer.sendBytes(0, 2, 0, 1),
      (peer) => peer.sendBytes(0, 0, 0, 1, 0xc1),
      (peer) => peer.send({ kind: 'ping', nonce: 1 }),
      (peer) => peer.sendValues([3, { versions: 'one' }]),
      (peer) => peer.sendValues([99, {}]),
      (peer) => peer.sendBodies(body, body),
      (peer) => peer.send({ kind: 'hello', fields: good }, { kind: 'ping', nonce: 1 }),
    ];
    for (const attempt of attempts) {
      const { peer, reject } = rawDial(rig, undefined);
      attempt(peer);
      await rig.clock.settle();
      expect(reject()?.code).toBe('HANDSHAKE_INVALID');
      expect(peer.closed).toBeDefined();
    }
    expect(rig.host.plugin('tested').state).toBe('idle');
    expect(rig.host.tokens).toMatchObject([{ usesLeft: 100 }]);
  });

  test('[dialin.gate-bounded] a second hello after the first is answered ends the worker, not the host', async () => {
    const { rig, good, plugin } = await prepare();
    const remote = new RemoteWorker(rig, good);
    await remote.connect();
    await rig.clock.settle();
    const body = encodeMessage({ kind: 'hello', fields: good }, codec, defaultFrameLimits);
    remote.pair[1].send([Uint8Array.of(0, 0, body.length >> 8, body.length & 255), body]);
    await rig.clock.settle();
    expect(plugin).toHaveProperty('state', 'quarantined');
    expect(plugin.reason?.code).toBe('PROTOCOL_ERROR');
  });

  test('[dialin.gate-bounded] one that does not read its answer counts until it is gone', async () => {
    const { rig, hello } = await prepare({ dialIn: { maxPendingConnections: 2, pendingTimeoutMs: 5_000 } });
    const mute = Array.from({ length: 2 }, () => {
      const dialled = rig.dial();
      dialled.faults[0].stall();
      return dialled;
    });
    for (const dialled of mute) {
      const body = encodeMessage({ kind: 'hello', fields: hello }, codec, defaultFrameLimits);
      dialled[1].send([Uint8Array.of(0, 0, body.length >> 8, body.length & 255), body]);
    }
    await rig.clock.settle();
    expect(await answerTo(rig, hello)).toBe('closed');
    await rig.clock.advance(5_000);
    expect(await answerTo(rig, hello)).toBe('UNAUTHENTICATED');
  });

  test('[dialin.gate-bounded] what a stranger says about itself enters neither record nor answer as it stands', async () => {
    const { rig, good } = await prepare();
    const nasty = `\u001b[31m${'x'.repeat(3_000)}\n`;
    await answerTo(rig, { ...good, plugin: { id: nasty, version: nasty } });
    await answerTo(rig, { ...good, plugin: { id: 'tested', version: nasty } });
    await answerTo(rig, { ...good, requiredFeatures: [nasty] });
    await answerTo(rig, { ...good, resume: { session: nasty, token: nasty, received: 0 } });
    const texts = textsIn([rig.host.audit(), rig.logs]);
    expect(refused(rig)).toHaveLength(4);
    expect(texts.some((text) => controls.test(text))).toBe(false);
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(3_000);
  });

  test('[dialin.gate-bounded] its bounds are whole numbers, and their defaults those of the protocol', () => {
    expect(resolveDialInOptions()).toMatchObject({
      maxPendingConnections: 64,
      pendingTimeoutMs: 10_000,
      maxHelloBytes: 131_072,
      resumeWindowMs: 30_000,
    });
    for (const bad of [{ maxPendingConnections: 0 }, { maxHelloBytes: 131_073 }, { pendingTimeoutMs: Number.NaN }, { resumeWindowMs: -1 }]) {
      expect(() => resolveDialInOptions(bad)).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});

describe('a listener', () => {
  test('[dialin.stops-clean] gives up its address, and whoever is connected stays', async () => {
    const { rig, good, plugin } = await prepare();
    const remote = new RemoteWorker(rig, good);
    remote.methods.echo = (call) => call.params;
    await remote.connect();
    await rig.clock.settle();
    expect(rig.listener.address).toBe('memory:host');
    await Promise.all([rig.listener.close(), rig.listener.close()]);
    expect(await answerTo(rig, good)).toBe('closed');
    await expect(plugin.call('echo', 1)).resolves.toBe(1);
  });

  test('[dialin.stops-clean] whose transport never comes to an end does not keep the host from its own', async () => {
    const rig = createRig();
    const ending: Record<string, () => Promise<void>> = {
      hangs: () => new Promise<never>(() => {}),
      rejects: () => Promise.reject(new Error('no')),
      throws() {
        throw new Error('no');
      },
    };
    for (const [name, close] of Object.entries(ending))
      await rig.host.listen({ name, dial: () => Promise.reject(new Error('no')), listen: async (address) => ({ address, close }) }, `${name}:`);
    let stopped = false;
    const stopping = rig.host.stop().then(() => {
      stopped = true;
    });
    await rig.clock.advance(4_999);
    expect(stopped).toBe(false);
    await rig.clock.advance(1);
    await rig.clock.settle();
    expect(stopped).toBe(true);
    await stopping;
    expect(rig.logs.map(({ level, message }) => `${level}: ${message}`).sort()).toEqual([
      'warn: A listener could not be closed.',
      'warn: A listener could not be closed.',
      'warn: A listener did not close; the host stops without it.',
    ]);
  });

  test('[dialin.stops-clean] whose connections never report their end does not keep the host from its own', async () => {
    const rig = createRig({ timings: { heartbeatMs: 60_000 } });
    const { transport, dial } = loopback(rig.clock);
    // Closes nothing, and so hears of no end.
    const endless: Transport = {
      ...transport,
      listen: (address, accept) =>
        transport.listen(address, (connection) =>
          accept({
            peer: connection.peer,
            maxFrameBytes: connection.maxFrameBytes,
            start: (handlers) => connection.start(handlers),
            send: (chunks) => connection.send(chunks),
            close() {},
          }),
        ),
    };
    const listener = await rig.host.listen(endless, 'memory:host');
    const dialRig: DialRig = { ...rig, listener, dial };
    const { hello, plugin } = await installExternal(dialRig);
    const worker = new RemoteWorker(dialRig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    await worker.connect();
    rawDial(dialRig, undefined);
    const controller = { versions: [1], role: 'controller' as const, sdk: hello.sdk, features: [], requiredFeatures: [] };
    const { peer } = rawDial(dialRig, { ...controller, token: rig.host.issueToken({ role: 'controller', plugins: ['tested'] }).token });
    await rig.clock.settle();
    expect(peer.of('welcome')).toHaveLength(1);
    expect(plugin.state).toBe('active');
    await rig.clock.runUntil(rig.host.stop({ graceMs: 100 }), { limitMs: 60_000 });
  });
});
