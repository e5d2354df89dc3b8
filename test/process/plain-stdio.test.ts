import { describe, expect, test } from 'vitest';
import { processLauncher } from '../../src/node/process-launcher.js';
import { requirePythonSdk } from '../helpers/python-sdk.js';
import { plugins, startHost, until } from './host-support.js';

const python = requirePythonSdk();

describe('a worker with runtime.channel: stdio', () => {
  test('[launch.plain-stdio] speaks over standard input and output, and its prints become log lines', async () => {
    const { host, logs } = startHost();
    const plugin = await host.install(`${plugins}plain-stdio`);
    await plugin.start();
    expect(await plugin.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await plugin.call('prints')).toBe('of a child\n');
    expect(await plugin.call('reads')).toBe('');
    const large = Buffer.alloc(1_500_000, 7);
    const echoed = (await plugin.call('echo', { large })) as { large: Uint8Array };
    expect(Buffer.compare(echoed.large, large)).toBe(0);
    for (let round = 0; round < 20; round += 1)
      await Promise.all(Array.from({ length: 10 }, async (_, index) => expect(await plugin.call('echo', { index })).toEqual({ index })));
    await until(() => logs.length >= 3);
    expect(logs.map(({ message }) => message)).toEqual(['by console', 'by process.stdout', 'by an older reference']);
    await plugin.stop();
    expect(plugin.state).not.toBe('active');
  });

  test('[launch.stray-output] that prints before its hello does not start, for a reason that quotes the text', async () => {
    const { host } = startHost();
    const plugin = await host.install(`${plugins}plain-stdio-early`);
    await expect(plugin.start()).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining(
        'The worker wrote "Hello world" to its standard output, which carries the protocol (runtime.channel: stdio); print to standard error.',
      ),
      reason: { code: 'HANDSHAKE_FAILED' },
    });
  });

  test.each([
    ['a line', 'strays', { text: 'Hello world\n' }, '"Hello world"'],
    ['no whole line', 'strays', { text: 'Hi' }, '"Hi"'],
    ['an empty line', 'strays', { text: '\n' }, '"\\x0a"'],
    ['escapes for a terminal', 'strays', { text: 'a\u001b[31mred\n' }, '"a"'],
    ['what a child inherits', 'straysByChild', undefined, '"Hello from a child"'],
  ])('[launch.stray-output] that prints in the middle of its session is ended for a reason that quotes it: %s', async (_, method, params, quoted) => {
    const { host } = startHost();
    const plugin = await host.install(`${plugins}plain-stdio`);
    await plugin.start();
    expect(await plugin.call('echo', 1)).toBe(1);
    await expect(plugin.call(method, params)).rejects.toMatchObject({
      code: 'WORKER_LOST',
      reason: { code: 'PROTOCOL_ERROR', message: expect.stringContaining(`The worker wrote ${quoted} to its standard output`) },
    });
  });

  test.skipIf(python.missing)('[launch.plain-stdio] may be written in Python', async () => {
    const { host, logs } = startHost({ launcher: processLauncher({ interpreters: { python: python.interpreter } }) });
    const plugin = await host.install(`${plugins}plain-stdio-python`);
    await plugin.start();
    expect(await plugin.call('echo', { a: 1 })).toEqual({ a: 1 });
    expect(await plugin.call('prints')).toBe('printed');
    await until(() => logs.length >= 3);
    expect(logs.map(({ message }) => message)).toEqual(['by print', 'by descriptor 1', 'by a child']);
    await plugin.stop();
  });
});
