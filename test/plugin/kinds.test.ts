import { describe, expect, expectTypeOf, test } from 'vitest';
import { channelContract, defineChannel, defineModelProvider, type InboundMessage, modelProviderContract } from '../../src/plugin/index.js';
import { rejection, startPlugin } from './test-host.js';

const inbound = { channelId: 'c', externalUserId: 'u', conversationId: 'v', text: 'hello', receivedAt: '2026-01-01T00:00:00.123456789Z' };

describe('a channel', () => {
  test('[plugin.kinds-typescript] receives and sends messages', async () => {
    const sent: unknown[] = [];
    const steps: string[] = [];
    const plugin = defineChannel({
      channelId: 'terminal',
      onMessage: async (message, ctx) => {
        expectTypeOf(message).toEqualTypeOf<InboundMessage>();
        await ctx.routeMessage(message);
      },
      sendMessage: (message) => void sent.push(message),
      onInstall: () => void steps.push('installed'),
      onLoad: () => void steps.push('loaded'),
    });
    const host = await startPlugin(plugin, { services: { 'agents.message': () => ({ accepted: true }) } });
    const channel = host.as(channelContract);
    expect(await channel.describe()).toEqual({ channelId: 'terminal' });
    expect(await channel.onMessage({ ...inbound, newerField: 1 } as typeof inbound)).toBeUndefined();
    expect(host.requests).toMatchObject([{ method: 'agents.message', params: { ...inbound, metadata: {} } }]);
    const { receivedAt: _receivedAt, ...outbound } = inbound;
    await channel.sendMessage({ ...outbound, metadata: { thread: 1 } });
    expect(sent).toEqual([{ ...outbound, metadata: { thread: 1 } }]);
    await host.session.call('plugin.install', {});
    expect(steps).toEqual(['loaded', 'installed']);
    expect(await rejection(host.session.call('plugin.uninstall', {}))).toMatchObject({ code: 'METHOD_NOT_FOUND' });
    expect(await rejection(host.session.call('channel.onMessage', { ...inbound, receivedAt: 'yesterday' }))).toMatchObject({
      code: 'INVALID_PARAMS',
    });
  });

  test('needs an id', () => {
    expect(() => defineChannel({ channelId: ' ', onMessage() {}, sendMessage() {} })).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('a model provider', () => {
  const request = { model: 'm', messages: [{ role: 'user', content: 'one two' }] };
  const complete = async () => ({ content: 'answer', model: 'm', promptTokens: 2, completionTokens: 1, finishReason: 'stop' });

  test('[plugin.kinds-typescript] completes, streams and describes itself', async () => {
    let configured: string | undefined;
    const plugin = defineModelProvider({
      providerId: 'extractive',
      configure: ({ config }) => {
        configured = config.getString('language', 'en');
      },
      complete: async ({ messages, temperature, extra }) => ({
        ...(await complete()),
        content: `${messages[0]?.content} ${temperature} ${JSON.stringify(extra)}`,
      }),
      async *stream({ messages }) {
        for (const word of messages[0]?.content.split(' ') ?? []) yield word;
        return { finishReason: 'stop' };
      },
      listModels: () => [{ id: 'm', displayName: 'M', contextWindow: 1_000 }],
      capabilities: { maxContextTokens: 4_000 },
    });
    const host = await startPlugin(plugin);
    const provider = host.as(modelProviderContract);
    expect(configured).toBe('en');
    expect(await provider.complete(request)).toMatchObject({ content: 'one two undefined {}', finishReason: 'stop' });
    expect(await provider.complete({ ...request, temperature: null, extra: { a: 1 } })).toMatchObject({ content: 'one two undefined {"a":1}' });
    const stream = provider.stream(request);
    const words: string[] = [];
    for await (const word of stream) words.push(word);
    expect(words).toEqual(['one', 'two']);
    expect(await stream.result).toEqual({ finishReason: 'stop', totalTokens: -1 });
    expect(await provider.describe()).toEqual({ providerId: 'extractive' });
    expect(await provider.listModels()).toEqual({ models: [{ id: 'm', displayName: 'M', contextWindow: 1_000, deprecated: false }] });
    const capabilities = { streaming: true, toolCalling: false, vision: false, embeddings: false, maxContextTokens: 4_000 };
    expect(await provider.capabilities()).toEqual(capabilities);
    expect(await host.session.call('model.capabilities', {})).toEqual(capabilities);
  });

  test('without a stream of its own answers in one piece', async () => {
    const host = await startPlugin(
      defineModelProvider({ providerId: 'p', complete, listModels: async () => [], capabilities: async () => ({ vision: true }) }),
    );
    const provider = host.as(modelProviderContract);
    const stream = provider.stream(request);
    const pieces: string[] = [];
    for await (const piece of stream) pieces.push(piece);
    expect(pieces).toEqual(['answer']);
    expect(await stream.result).toEqual({ finishReason: 'stop', totalTokens: 3 });
    expect(await provider.capabilities()).toMatchObject({ streaming: false, vision: true, maxContextTokens: 128_000 });
  });
});
