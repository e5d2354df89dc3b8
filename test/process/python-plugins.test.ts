import { describe, expect, test } from 'vitest';
import { processLauncher } from '../../src/node/process-launcher.js';
import { channelContract } from '../../src/plugin/kinds/channel.js';
import type { InboundMessage } from '../../src/plugin/kinds/messages.js';
import { modelProviderContract } from '../../src/plugin/kinds/model-provider.js';
import { memoryStorage } from '../../src/services/memory-storage.js';
import { requirePythonSdk } from '../helpers/python-sdk.js';
import { plugins, startHost, until } from './host-support.js';

const python = requirePythonSdk();
const policy = {
  version: 1,
  rules: [
    { effect: 'allow', capability: 'agents.message' },
    { effect: 'allow', capability: 'storage.write' },
    { effect: 'allow', capability: 'storage.read' },
  ],
} as const;
const launcher = (): ReturnType<typeof processLauncher> => processLauncher({ interpreters: { python: python.interpreter } });

const letter = {
  channelId: 'letters',
  externalUserId: 'ada',
  conversationId: 'c1',
  text: 'Dear host',
  receivedAt: '2026-01-01T00:00:00Z',
  metadata: { urgent: true },
};

describe.skipIf(python.missing)('Python plugins under the host', () => {
  test('[plugin.kinds-python] a channel receives a message, hands it on, and sends one', async () => {
    const routed: InboundMessage[] = [];
    const storage = memoryStorage();
    const { host, logs } = startHost({ policy, storage, launcher: launcher(), routeMessage: (message) => void routed.push(message) });
    const plugin = await host.install(`${plugins}python-channel`);
    await plugin.start();
    const channel = plugin.as(channelContract);
    expect(await channel.describe()).toEqual({ channelId: 'letters' });
    await channel.onMessage(letter);
    expect(routed).toEqual([letter]);
    await channel.sendMessage({ channelId: 'letters', externalUserId: 'ada', conversationId: 'c1', text: 'Dear Ada' });
    expect(storage.get('python-channel', 'sent/c1')).toBe('Dear Ada');
    await until(() => logs.some((line) => line.message === 'a letter arrived'));
  });

  test('[plugin.kinds-python] a model provider completes and streams', async () => {
    const { host } = startHost({ policy, launcher: launcher() });
    const plugin = await host.install(`${plugins}python-model`);
    await plugin.start();
    const model = plugin.as(modelProviderContract);
    const request = { model: 'm', messages: [{ role: 'user', content: 'one two three' }] };
    expect(await model.complete(request)).toMatchObject({ content: 'ONE TWO THREE', model: 'm', finishReason: 'stop' });
    const stream = model.stream(request);
    const words: string[] = [];
    for await (const word of stream) words.push(word);
    expect(words).toEqual(['one', 'two', 'three']);
    expect(await stream.result).toEqual({ finishReason: 'stop', totalTokens: 7 });
    expect(await model.capabilities()).toMatchObject({ streaming: true, maxContextTokens: 128_000 });
  });

  test('a handler that spins keeps no heartbeat from being answered, and notes its cancel', async () => {
    const { host } = startHost({ policy, launcher: launcher(), timings: { heartbeatMs: 100 } });
    const plugin = await host.install(`${plugins}python-model`);
    await plugin.start();
    const controller = new AbortController();
    const spinning = plugin.call('spin', undefined, { signal: controller.signal }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(plugin.state).toBe('active');
    controller.abort();
    expect(await spinning).toMatchObject({ code: 'CANCELLED' });
    expect(await plugin.call('states')).toEqual(['cancelled']);
  });

  test('a denial has capability, scope and decision id, and stands in the audit', async () => {
    const { host } = startHost({ policy, launcher: launcher() });
    const plugin = await host.install(`${plugins}python-model`);
    await plugin.start();
    const seen = await plugin.call('peek');
    const [record] = host.audit({ kind: 'decision' });
    expect(seen).toEqual({
      capability: 'storage.read',
      scope: { keys: ['others/key'] },
      decision: record?.kind === 'decision' ? record.decisionId : 'none',
    });
  });

  test("the author's error arrives with its own code, and a lost worker as such", async () => {
    const { host } = startHost({ policy, launcher: launcher() });
    const plugin = await host.install(`${plugins}python-model`);
    await plugin.start();
    await expect(plugin.call('fail')).rejects.toMatchObject({ code: 'HANDLER_ERROR', handlerCode: 'QUOTA', details: { left: 0 } });
    const sleeping = plugin.call('sleep').catch((error: unknown) => error);
    await plugin.call('states');
    process.kill(plugin.worker?.pid as number, 'SIGKILL');
    expect(await sleeping).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true, reason: { signal: 'SIGKILL' } });
  });
});
