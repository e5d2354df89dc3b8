import { describe, expect, test } from 'vitest';
import { createDialRig, installExternal, RemoteWorker } from './dial-in-support.js';
import { rejection } from './support.js';

describe('a worker that dials in', () => {
  test('[dialin.registers] starts its plugin, is called, and is stopped like any other', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const { token } = rig.host.issueToken({ plugin: 'tested' });
    const remote = new RemoteWorker(rig, { ...hello, token });
    remote.methods.echo = (call) => call.params;
    const welcome = await remote.connect();
    await rig.clock.settle();
    expect(welcome).toMatchObject({ generation: 1, plugin: { id: 'tested', version: '1.0.0' }, features: ['resume'], resume: { windowMs: 30_000 } });
    expect(plugin.state).toBe('active');
    expect(plugin.worker).toMatchObject({ state: 'ready', isolation: 'external', pid: undefined, description: 'dialled in from memory:peer-1' });
    await expect(plugin.call('echo', { a: 1 })).resolves.toEqual({ a: 1 });
    await rig.clock.runUntil(plugin.stop());
    expect(remote.ends).toMatchObject([{ code: 'STOPPED', goodbye: true }]);
    expect(plugin.state).toBe('idle');
    expect(rig.host.audit({ kind: 'dial-in' })).toMatchObject([{ outcome: 'registered', pluginId: 'tested', generation: 1, peer: 'memory:peer-1' }]);
  });

  test('[dialin.registers] plugin.start waits for it, and START_TIMEOUT says that none came', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const starting = rejection(plugin.start());
    await rig.clock.advance(29_999);
    expect(plugin.state).toBe('starting');
    expect(plugin.reason).toMatchObject({ code: 'STARTING', message: 'The host waits for a worker to dial in.' });
    expect(await rig.clock.runUntil(starting)).toMatchObject({
      code: 'START_FAILED',
      reason: { code: 'START_TIMEOUT', message: expect.stringMatching(/No worker dialled in/) },
    });
    expect(plugin.state).toBe('idle');
    const again = plugin.start();
    await rig.clock.settle();
    await new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token }).connect();
    await rig.clock.runUntil(again);
    expect(plugin.state).toBe('active');
  });
});
