import { describe, expect, test } from 'vitest';
import { Audit, type AuditRecord } from '../../src/host/audit.js';
import { definePlugin } from '../../src/plugin/define-plugin.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createRig, installFake, runs, startFake } from './support.js';

const violation = (code: string) => ({ kind: 'violation', pluginId: 'p', workerId: 'w', code, message: 'm' }) as const;

describe('the audit in memory', () => {
  test('keeps the newest records, in order, and numbers all', () => {
    const audit = new Audit(new SimulatedClock(), () => {}, 100);
    for (let index = 0; index < 1_000; index += 1) {
      audit.record(violation(String(index)));
      expect(audit.records().length).toBeLessThanOrEqual(100);
    }
    const kept = audit.records();
    expect(kept).toHaveLength(100);
    expect(kept.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index));
  });

  test('filters by plugin and kind', () => {
    const audit = new Audit(new SimulatedClock(), () => {});
    audit.record(violation('A'));
    audit.record({ ...violation('B'), pluginId: 'q' });
    audit.countAllowed('q', 'm.n');
    expect(audit.records({ pluginId: 'q' }).map(({ kind }) => kind)).toEqual(['violation', 'calls']);
    expect(audit.records({ kind: 'violation', pluginId: 'p' })).toHaveLength(1);
    audit.close();
  });

  test('records cannot be changed by whoever sees them', () => {
    const audit = new Audit(new SimulatedClock(), (record) => {
      expect(() => {
        (record as { pluginId: string }).pluginId = 'another';
      }).toThrow(TypeError);
    });
    audit.record(violation('A'));
    expect(audit.records()).toMatchObject([{ pluginId: 'p' }]);
  });

  test('a sink that reads the audit while it is told counts nothing twice', async () => {
    const clock = new SimulatedClock();
    const told: AuditRecord[] = [];
    const audit: Audit = new Audit(clock, (record) => {
      told.push(record);
      audit.records();
    });
    for (const method of ['a.a', 'b.b', 'c.c']) audit.countAllowed('p', method);
    await clock.advance(1_000);
    expect(told.map((record) => record.kind === 'calls' && record.allowed)).toEqual([1, 1, 1]);
    expect(audit.records({ kind: 'calls' })).toHaveLength(3);
    expect(clock.pendingTimers).toBe(0);
  });

  test('what is counted after the end is written at once, without a timer', () => {
    const clock = new SimulatedClock();
    const audit = new Audit(clock, () => {});
    audit.countAllowed('p', 'm.n');
    audit.close();
    audit.countAllowed('p', 'm.n');
    expect(audit.records({ kind: 'calls' })).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });
});

test('[audit.decisions] a lifecycle is recorded with its reasons, and every record reaches sink and listeners in order', async () => {
  const sunk: number[] = [];
  const rig = createRig({ onAudit: ({ sequence }) => void sunk.push(sequence) });
  const heard: number[] = [];
  rig.host.on('audit', ({ sequence }) => void heard.push(sequence));
  const { plugin } = await startFake(rig);
  await rig.clock.runUntil(plugin.stop({ reason: 'Enough.' }));
  const lifecycle = rig.host.audit({ kind: 'lifecycle' });
  expect(lifecycle).toMatchObject([
    { from: 'idle', to: 'starting', generation: 1, reason: { code: 'STARTING' } },
    { from: 'starting', to: 'active', generation: 1 },
    { from: 'active', to: 'stopping', reason: { code: 'STOPPED', message: 'Enough.' } },
    { from: 'stopping', to: 'idle', reason: { code: 'STOPPED' } },
  ]);
  expect(sunk).toEqual(heard);
  expect(sunk).toEqual(sunk.map((_, index) => index));
});

test.each([
  [{ killed: 2, left: 0 }, 'info'],
  [{ killed: 0, left: 3 }, 'error'],
] as const)('processes that outlived a worker are recorded and logged: %o', async (stragglers, level) => {
  const rig = createRig();
  const plain = runs(definePlugin({}), { exits: false });
  const { plugin, workers } = await installFake(rig, { behaviour: plain });
  await plugin.start();
  workers[0]!.exit({ exitCode: 0, stragglers });
  await rig.clock.advance(1_000);
  expect(rig.host.audit({ kind: 'stragglers' })).toMatchObject([{ pluginId: 'tested', generation: 1, ...stragglers }]);
  expect(rig.logs.find(({ fields }) => 'left' in fields)).toMatchObject({ level, fields: { plugin: 'tested', ...stragglers } });
});
