import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { until } from '../process/host-support.js';
import { arena, canary, expectHarmless, harmful } from './arena.js';
import { ask, frames, rejection, thisCall } from './hostile-frames.js';

/** Clears the screen, sets a title, forges a line, turns the direction, and tells the secret. */
const evil = `\u001b[2J\u001b]0;owned\u0007\u009b31m\r\n2026-01-01 INFO audit: granted\u2028\u202etxt.exe\u2066 ${canary}`;

// The arena itself looks through all that the host said after each test.
describe('text that steers terminals, forges lines or tells secrets', () => {
  const field = arena();

  const saidByPlugin = (part: string): boolean => field.said.some((said) => inspect(said, { depth: 32 }).includes(part));

  test('in log lines and their fields, at any depth', async () => {
    const plugin = await field.start();
    let deep: unknown = { [evil]: evil, bytes: Buffer.from(canary) };
    for (let depth = 0; depth < 20; depth++) deep = depth % 2 === 0 ? [deep] : { deep };
    await ask(plugin, 'log.write', { level: 'error', message: `logged ${evil}`, fields: { deep, [evil]: [evil], big: 2n ** 60n }, time: evil });
    expect(saidByPlugin('logged ')).toBe(true);
    // A logger that writes JSON knows no bigint, and must not lose the line.
    expect(JSON.stringify(field.said)).toContain('1152921504606846976');
  });

  test('in what it prints', async () => {
    const plugin = await field.start();
    await plugin.call('print', { bytes: Buffer.from(`printed ${evil}\n\xff\xfe\u001b[31m${'x'.repeat(20_000)}\n`, 'latin1') });
    await plugin.call('print', { bytes: Buffer.from(`printed ${evil}\n`) });
    await until(() => saidByPlugin('printed '));
  });

  test('in its health', async () => {
    const plugin = await field.start();
    await ask(plugin, 'health.report', { status: 'failing', message: `unwell ${evil}` });
    expect(plugin.health).toMatchObject({ status: 'failing', message: expect.stringContaining('unwell') });
    expectHarmless(plugin.health);
    expect(plugin.health.message).not.toContain('\n');
  });

  test('in what it attempts and is denied', async () => {
    const plugin = await field.start({ requests: ['{ capability: storage.read, keys: ["own/*"], reason: x }'] });
    await ask(plugin, 'storage.get', { key: evil });
    await ask(plugin, 'storage.get', { key: `\u202e${canary}` }, [0, null, evil.slice(0, 100)]);
    await ask(plugin, 'events.publish', { topic: canary, payload: canary }, [0, null, canary]);
    expect(field.host.audit({ pluginId: plugin.id, kind: 'decision' }).length).toBeGreaterThanOrEqual(2);
  });

  test('in params that are not acceptable', async () => {
    const plugin = await field.start();
    await plugin.call('say', { bytes: frames([2, 'log.write', { level: evil, message: 7, [evil]: evil }], [2, 'health.report', { status: evil }]) });
    await ask(plugin, 'log.write', { level: evil });
    await until(() => saidByPlugin('not acceptable'));
  });

  test('in the reason of a drain', async () => {
    const plugin = await field.start();
    await plugin.call('say', { bytes: frames([13, 5, `leaving ${evil}`]) }).catch(() => {});
    await until(() => plugin.state !== 'active', 3_000);
    expectHarmless(plugin.reason);
  });

  test('in a goodbye', async () => {
    const plugin = await field.start();
    const error = await rejection(plugin.call('say_only', { bytes: frames([14, `BYE${evil}`.slice(0, 200), evil]) }));
    expect(error).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expectHarmless([error.message, error.reason]);
    await until(() => plugin.state === 'quarantined', 3_000);
    expectHarmless(plugin.reason);
  });

  test('in the last lines before its end', async () => {
    const plugin = await field.start();
    await plugin.call('complain_and_exit', { bytes: Buffer.from(`fatal ${evil}\n`) }).catch(() => {});
    await until(() => plugin.state === 'quarantined', 3_000);
    expect(plugin.reason?.stderrTail).toContain('fatal');
    expectHarmless(plugin.reason);
  });

  test('in an error of a hook, which the host itself reports', async () => {
    const plugin = await field.install({ start: 'load_fails' });
    const error = await rejection(plugin.start());
    expect(error).toMatchObject({ code: 'START_FAILED', reason: { code: 'LOAD_FAILED' } });
    expectHarmless([error.message, error.reason, plugin.reason]);
  });

  test('an error that a handler answers keeps its words and loses what steers terminals; a code is a code', async () => {
    const plugin = await field.start();
    const wire = {
      code: `X${evil}`,
      message: `failed: \u001b[31mred\u001b[0m \u202e`,
      handlerCode: 'QUOTA',
      details: { left: 0 },
      mayHaveRun: false,
    };
    const error = await rejection(plugin.call('say_only', { bytes: frames([1, thisCall, wire]) }));
    expect(error.message).toContain('failed: ');
    expect(error.message).not.toMatch(harmful);
    expect(error.code).toBe('HANDLER_ERROR');
  });
});
