import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isRunning, until } from '../process/host-support.js';
import { arena, canary } from './arena.js';
import { rejection } from './hostile-frames.js';

describe('a worker that plays tricks with its process', () => {
  const field = arena();

  test('it finds nothing of the host: no variable, no descriptor, no input, no secret in arguments', async () => {
    process.env.HOST_CANARY = canary;
    const plugin = await field.start();
    const found = (await plugin.call('surroundings')) as {
      environment: Record<string, string>;
      arguments: string[];
      descriptors: Record<string, string>;
      stdin: Uint8Array;
    };
    delete process.env.HOST_CANARY;
    expect(JSON.stringify([found.environment, found.arguments])).not.toContain(canary);
    expect(Object.keys(found.environment).filter((name) => !/^(PATH|LANG|LC_\w+|TZ|HOME|TMPDIR|PYTHON\w+|SYNAPSE_WORKER_\w+)$/.test(name))).toEqual(
      [],
    );
    const kept = Object.entries(found.descriptors).filter(
      ([name, target]) => !['0', '1', '2', '3'].includes(name) && target !== '/dev/null' && !target.includes('/proc/'),
    );
    expect(kept).toEqual([]);
    expect(found.stdin).toHaveLength(0);
    expect(readFileSync(`/proc/${plugin.worker?.pid}/cmdline`, 'utf8')).not.toContain(canary);
  });

  test('twenty daemons in sessions of their own that ignore signals are found and ended, and the audit counts them', async () => {
    const plugin = await field.start();
    const daemons = (await plugin.call('leave_children', { count: 20 })) as number[];
    expect(daemons.every(isRunning)).toBe(true);
    await plugin.stop({ graceMs: 0 });
    await until(() => !daemons.some(isRunning), 1_500);
    expect(field.host.audit({ pluginId: plugin.id, kind: 'stragglers' })).toMatchObject([{ killed: 20, left: 0 }]);
  });

  test('one that ignores SIGTERM is killed', async () => {
    const plugin = await field.start();
    await plugin.call('ignore_signals');
    void rejection(plugin.call('sleep_for_ever'));
    const began = performance.now();
    await plugin.stop({ graceMs: 0 });
    expect(plugin.state).toBe('idle');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('one that stops itself is declared dead; the call in flight says so', async () => {
    const plugin = await field.start({ install: { timings: { heartbeatMs: 100 } } });
    const pid = plugin.worker?.pid as number;
    expect(await rejection(plugin.call('freeze'))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'HEARTBEAT_MISSED' } });
    await until(() => plugin.state === 'quarantined' && !isRunning(pid));
  });

  test('one that closes every descriptor and lives on is ended', async () => {
    const plugin = await field.start();
    const pid = plugin.worker?.pid as number;
    expect(await rejection(plugin.call('close_everything'))).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    await until(() => plugin.state === 'quarantined' && !isRunning(pid), 3_000);
  });

  test('one that exits between two frames: what it sent counts, what it did not is lost', async () => {
    const plugin = await field.start();
    const lost = rejection(plugin.call('never'));
    const answered = plugin.call('answer_and_exit');
    expect(await answered).toBe('last words');
    expect(await lost).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'EXITED', exitCode: 9 } });
  });

  test('started again and again, each time gone at once, it costs nothing that stays', async () => {
    const plugin = await field.install({ start: 'load_then_exit' });
    for (let round = 0; round < 4; round++) {
      expect(await rejection(plugin.start())).toMatchObject({ code: 'START_FAILED', reason: { code: 'EXITED' } });
    }
    expect(plugin.state).toBe('quarantined');
    expect(plugin.worker).toBeUndefined();
  });
});
