import { expect, test } from 'vitest';
import { type Reason, reasonCodes } from '../../src/errors/reason.js';
import type { PluginState } from '../../src/host/plugin-table.js';
import type { WorkerState } from '../../src/worker/worker-table.js';
import { rawWorker } from './raw-worker.js';
import { createRig, installFake, rejection } from './support.js';

function assertNamed(reason: Reason | undefined): void {
  expect(reason).toBeDefined();
  expect(Object.keys(reasonCodes)).toContain(reason?.code);
  expect(reason?.action).toBe(reasonCodes[reason?.code as Reason['code']]);
  expect(reason?.message).not.toBe('');
  expect(Number.isNaN(Date.parse(reason?.since ?? ''))).toBe(false);
}

test('[lifecycle.named-reason] whatever is not ready has a named reason and a next action, in every state', async () => {
  const rig = createRig();
  const plugins = new Set<PluginState>();
  const workers = new Set<WorkerState>();
  rig.host.on('plugin.state', ({ to, reason }) => {
    plugins.add(to);
    if (to === 'active') expect(reason).toBeUndefined();
    else assertNamed(reason);
  });
  rig.host.on('worker.state', ({ to, reason }) => {
    workers.add(to);
    if (to === 'ready') expect(reason).toBeUndefined();
    else assertNamed(reason);
  });
  const { behaviour, raw } = rawWorker();
  const { plugin } = await installFake(rig, { behaviour, requests: [{ capability: 'storage.read', keys: ['a'] }] });
  assertNamed(plugin.reason);
  await rejection(plugin.start());
  expect(plugin.state).toBe('pending');
  assertNamed(plugin.reason);
  await plugin.approve({ by: 'ada' });
  await plugin.start();
  expect(plugin.reason).toBeUndefined();

  // Active, and its worker on its way out.
  raw[0]?.peer.send({ kind: 'drain', graceMs: 1_000, reason: 'soon' });
  const call = rejection(plugin.call('last'));
  await rig.clock.settle();
  expect([plugin.state, plugin.worker?.state]).toEqual(['active', 'draining']);
  assertNamed(plugin.reason);
  raw[0]?.peer.send({ kind: 'goodbye', code: 'DRAINED' });
  await rig.clock.advance(5_000);
  assertNamed((await call).reason);
  expect(plugin.state).toBe('quarantined');

  await plugin.start();
  const stopping = plugin.stop();
  expect(plugin.state).toBe('stopping');
  assertNamed(plugin.reason);
  await rig.clock.runUntil(stopping);
  assertNamed(plugin.reason);
  await plugin.disable();
  assertNamed((await rejection(plugin.call('any'))).reason);
  plugin.enable();
  assertNamed(plugin.reason);
  expect([...plugins].sort()).toEqual(['active', 'disabled', 'idle', 'pending', 'quarantined', 'starting', 'stopping']);
  expect([...workers].sort()).toEqual(['draining', 'exited', 'ready', 'stopping']);
});

test('[lifecycle.named-reason] a second refusal of a start says what is missing now', async () => {
  const rig = createRig();
  const requests = [
    { capability: 'storage.read', keys: ['a'] },
    { capability: 'storage.write', keys: ['a'] },
  ];
  const { plugin } = await installFake(rig, { requests });
  await rejection(plugin.start());
  expect(plugin.reason?.message).toMatch(/storage\.read.*storage\.write/);
  await plugin.approve({ by: 'ada', items: ['storage.read'] });
  await rejection(plugin.start());
  expect(plugin.reason?.message).not.toContain('storage.read');
  expect(rig.host.audit({ kind: 'lifecycle' })).toHaveLength(1);
});
