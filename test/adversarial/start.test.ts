import { describe, expect, test } from 'vitest';
import { isRunning } from '../process/host-support.js';
import { arena, expectHarmless } from './arena.js';
import { ask, rejection } from './hostile-frames.js';

describe('a worker that is hostile from its first byte', () => {
  const field = arena();

  test.each([
    ['call_first', 'HANDSHAKE_FAILED', /request/],
    ['hello_twice', 'PROTOCOL_ERROR', /hello/],
    ['huge_hello', 'HANDSHAKE_FAILED', /131072/],
    ['absurd_length', 'HANDSHAKE_FAILED', /4294967295/],
    ['not_the_protocol', 'HANDSHAKE_FAILED', /frame|bytes/i],
    ['controller', 'HANDSHAKE_FAILED', /worker/],
    ['other_identity', 'HANDSHAKE_FAILED', /calls itself/],
    ['strange_feature', 'HANDSHAKE_FAILED', /feature/],
    ['load_then_exit', 'EXITED', /exit code 0/],
    ['goodbye_then_data', 'CHANNEL_CLOSED', /goodbye|closed/],
  ])('%s: the start fails as %s, and nothing of it is left', async (start, code, message) => {
    const plugin = await field.install({ start });
    const pids: number[] = [];
    const off = field.host.on('worker.state', () => pids.push(plugin.worker?.pid ?? 0));
    const error = await rejection(plugin.start());
    off();
    expect(error).toMatchObject({ code: 'START_FAILED', reason: { code } });
    expect(`${error.message} ${String(error.cause)}`).toMatch(message);
    expectHarmless([error.message, error.reason]);
    expect(error.message).not.toContain('\n');
    expect(error.message.length).toBeLessThan(10_000);
    expect(plugin.state).toBe('quarantined');
    expect(field.host.audit({ pluginId: plugin.id, kind: 'lifecycle' }).at(-1)).toMatchObject({ to: 'quarantined', reason: { code } });
    for (const pid of pids.filter((each) => each > 0)) expect(isRunning(pid)).toBe(false);
  });

  test.each(['half_a_frame', 'never'])('%s: the start ends at its limit', async (start) => {
    const plugin = await field.install({ start, install: { timings: { startTimeoutMs: 600 } } });
    expect(await rejection(plugin.start())).toMatchObject({ code: 'START_FAILED', reason: { code: 'START_TIMEOUT' } });
  });

  test('a hello that dribbles in byte by byte is a hello', async () => {
    const plugin = await field.start({ start: 'dribble' });
    expect(await plugin.call('echo', 1)).toBe(1);
  });

  test('an offer of 15,000 methods is cut, and what cannot be called is not in it', async () => {
    const plugin = await field.start({ start: 'huge_offer' });
    expect(plugin.worker?.methods.length).toBeLessThanOrEqual(1_000);
    expect(plugin.worker?.streams).toEqual([]);
    expect(plugin.worker?.events.every((pattern) => pattern === '**')).toBe(true);
    expectHarmless(plugin.worker);
  });

  test('an offer of another shape is an empty one', async () => {
    const plugin = await field.start({ start: 'odd_offer' });
    expect(plugin.worker).toMatchObject({ methods: [], streams: [], events: [] });
  });

  test('what it asks before it is loaded passes the same door', async () => {
    const plugin = await field.start({ start: 'requests_before_load' });
    expect(await ask(plugin, 'storage.get', { key: 'x' })).toMatchObject({ error: { code: 'CAPABILITY_DENIED' } });
  });
});
