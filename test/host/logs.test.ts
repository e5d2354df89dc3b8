import { describe, expect, test } from 'vitest';
import type { HostNotifications } from '../../src/host/notifications.js';
import type { UntypedPlugin } from '../../src/plugin/define-plugin.js';
import type { RunningPlugin } from '../../src/plugin/run-plugin.js';
import { rawWorker } from './raw-worker.js';
import { controls, createRig, type FakeWorker, installFake, type Rig, rejection, startFake, textsIn } from './support.js';

const secret = 'hunter2-hunter2';
const pem = '-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----';
const secretConfig = {
  more: {
    config_schema: {
      key: { type: 'string', secret: true },
      pin: { type: 'integer', secret: true },
      pem: { type: 'string', secret: true },
      open: { type: 'string' },
    },
  },
  install: { config: { key: secret, pin: 987_654, pem, open: 'open-value' } },
};

/** Sends a line as a hostile SDK would, which hides nothing. */
async function writeRaw(rig: Rig, worker: FakeWorker, params: unknown): Promise<void> {
  const run = (await worker.running) as RunningPlugin & { session: { notify(method: string, params: unknown): boolean } };
  expect(run.session.notify('log.write', params)).toBe(true);
  await rig.clock.settle();
}

function linesOf(rig: Rig): HostNotifications['plugin.log'][] {
  const lines: HostNotifications['plugin.log'][] = [];
  rig.host.on('plugin.log', (line) => lines.push(line));
  return lines;
}

describe('[audit.redacted] lines of a plugin', () => {
  test('lose secrets, escapes and line breaks, wherever they stand', async () => {
    const rig = createRig();
    const lines = linesOf(rig);
    const { workers } = await startFake(rig, secretConfig);
    await writeRaw(rig, workers[0]!, {
      level: 'fatal',
      message: `key ${secret}\r\nfake line\u001b[2J ${encodeURIComponent(pem)} \u202egnp`,
      fields: {
        [secret]: 1,
        deep: { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: secret } } } } } } } } } },
        list: [secret, 987_654, 1],
        bytes: new Uint8Array(3),
        text: 'two\nlines\u0007',
      },
    });
    workers[0]!.request.onOutput({ source: 'stderr', text: `${secret} and MIIEvQIBADANBgkq \u001b]0;title\u0007`, truncated: true });
    expect(lines).toMatchObject([
      { plugin: 'tested', level: 'fatal', source: 'log' },
      { level: 'warn', source: 'stderr', fields: { truncated: true } },
    ]);
    const everything = [...lines, ...rig.logs, ...rig.host.audit()];
    for (const text of textsIn(everything)) {
      expect(text).not.toMatch(controls);
      expect(text).not.toMatch(/hunter2|MIIEvQ|987654/);
    }
    expect(JSON.stringify(everything)).not.toContain('987654');
    expect(lines[0]?.message).not.toContain('\n');
    expect(lines[0]?.fields).toMatchObject({ bytes: '[3 bytes]', text: 'two\nlines\\u0007', list: ['[secret]', '[secret]', 1] });
    expect(rig.logs.filter(({ fields }) => fields.source !== undefined).map(({ level }) => level)).toEqual(['error', 'warn']);
  });

  test('are cut to size', async () => {
    const rig = createRig();
    const lines = linesOf(rig);
    const { workers } = await startFake(rig);
    workers[0]!.request.onOutput({ source: 'stdout', text: 'x'.repeat(1_000_000), truncated: false });
    await writeRaw(rig, workers[0]!, {
      level: 'info',
      message: 'm',
      fields: { list: Array.from({ length: 50_000 }, (_, index) => index), text: 'y'.repeat(200_000) },
    });
    for (const line of lines) expect(JSON.stringify(line).length).toBeLessThan(40_000);
  });

  test.each([
    ['official', undefined, 1_000],
    ['community', undefined, 300],
    ['community', 20, 20],
    ['community', 100_000, 300],
  ] as const)('[host.limits-by-trust] %s, manifest asks for %s: %i a minute, and the rest is counted', async (trust, asked, limit) => {
    const rig = createRig();
    const lines = linesOf(rig);
    const more = asked === undefined ? {} : { limits: { max_log_lines_per_minute: asked } };
    const { plugin, workers } = await startFake(rig, { install: { trust }, more });
    const print = (count: number) => {
      for (let line = 0; line < count; line += 1) workers[0]!.request.onOutput({ source: 'stdout', text: `line ${line}`, truncated: false });
    };
    print(limit + 50);
    expect(lines).toHaveLength(limit);
    await rig.clock.advance(60_000);
    print(1);
    expect(lines).toHaveLength(limit + 1);
    expect(rig.logs.filter(({ message }) => message.includes('were dropped'))).toMatchObject([
      { level: 'warn', fields: { plugin: 'tested', dropped: 50 } },
    ]);
    print(limit + 9);
    await rig.clock.runUntil(plugin.stop());
    expect(rig.logs.filter(({ message }) => message.includes('were dropped')).at(-1)?.fields).toMatchObject({ dropped: 10 });
  });
});

describe('[audit.redacted] secrets of the configuration', () => {
  const telling: UntypedPlugin = {
    onLoad: (ctx) => {
      if (ctx.config.values.open === 'fail') throw new Error(`cannot log in with ${secret}`);
    },
    methods: {
      health: async (_params, ctx) => ctx.health('failing', `key ${secret} \u001b[0m`),
      config: (_params, ctx) => ctx.call('config.get', {}),
    },
  };

  test('are in no error of a call or stream, though the worker leaves them in', async () => {
    const rig = createRig();
    const error = {
      code: 'HANDLER_ERROR',
      message: `the key ${secret} is wrong`,
      handlerCode: secret,
      details: { key: secret, nested: [{ pin: 987_654 }] },
      stack: `at ${secret}`,
    };
    const { behaviour } = rawWorker({ onRequest: ({ id }, { peer }) => peer.send({ kind: 'response', id, error }) });
    const { plugin } = await startFake(rig, { ...secretConfig, behaviour });
    const failed = await rejection(plugin.call('throws'));
    expect(failed).toMatchObject({ code: 'HANDLER_ERROR', message: 'the key [secret] is wrong' });
    const stream = plugin.stream('tells');
    const failure = await rejection(
      (async () => {
        for await (const _ of stream);
      })(),
    );
    const result = await rejection(stream.result);
    for (const each of [failed, failure, result]) {
      expect(`${each.message} ${each.stack} ${each.handlerCode} ${JSON.stringify(each.details)} ${String(each.cause)}`).not.toMatch(/hunter2|987654/);
    }
  });

  test('are in no failed start: error, cause, reason, audit, notification, log', async () => {
    const rig = createRig();
    const told: unknown[] = [];
    rig.host.on('plugin.state', (notification) => told.push(notification));
    rig.host.on('worker.state', (notification) => told.push(notification));
    const { plugin, workers } = await installFake(rig, {
      plugin: telling,
      more: secretConfig.more,
      install: { config: { ...secretConfig.install.config, open: 'fail' } },
    });
    const starting = rejection(plugin.start());
    await rig.clock.settle();
    workers[0]?.request.onOutput({ source: 'stderr', text: `traceback ${secret}`, truncated: false });
    const error = await rig.clock.runUntil(starting);
    const cause = error.cause as Error;
    for (const text of [
      ...textsIn([told, rig.logs, rig.host.audit(), plugin.reason, error.reason, error.details]),
      error.message,
      cause.message,
      String(cause.stack),
    ]) {
      expect(text).not.toMatch(/hunter2/);
    }
    expect(error.message).toContain('cannot log in with [secret]');
  });

  test('are in no inspection and no health, and reach the plugin itself', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: telling, ...secretConfig });
    await plugin.call('health');
    expect(plugin.health).toEqual({ status: 'failing', message: 'key [secret] \\u001b[0m' });
    expect(JSON.stringify([plugin.worker, plugin.health, plugin.manifest, plugin.grants])).not.toContain('hunter2');
    expect(await plugin.call('config')).toMatchObject({ config: { key: secret, pin: 987_654, open: 'open-value' } });
  });

  test('health is that of the worker that runs now', async () => {
    const rig = createRig();
    const { plugin } = await startFake(rig, { plugin: telling, ...secretConfig });
    await plugin.call('health');
    await rig.clock.runUntil(plugin.stop());
    await plugin.start();
    expect(plugin.health).toEqual({ status: 'ok' });
  });
});

describe('[host.listener-harmless]', () => {
  test('a listener that throws or rejects is logged and harms nobody', async () => {
    const rig = createRig();
    const heard: string[] = [];
    rig.host.on('plugin.state', () => {
      throw new Error('sync');
    });
    rig.host.on('plugin.state', async () => {
      throw new Error('async');
    });
    const off = rig.host.on('plugin.state', ({ to }) => void heard.push(to));
    const { plugin } = await startFake(rig);
    await rig.clock.settle();
    expect(heard).toEqual(['starting', 'active']);
    off();
    off();
    await rig.clock.runUntil(plugin.stop());
    expect(heard).toHaveLength(2);
    const failures = rig.logs
      .filter(({ message }) => message === 'A listener of the host failed.')
      .map(({ fields }) => (fields.err as Error).message);
    expect(failures.filter((message) => message === 'sync')).toHaveLength(4);
    expect(failures.filter((message) => message === 'async')).toHaveLength(4);
  });

  test('neither does a logger or a sink of the audit', async () => {
    const broken = (): never => {
      throw new Error('full');
    };
    const rig = createRig({ logger: { debug: broken, info: broken, warn: broken, error: broken }, onAudit: broken });
    const { plugin } = await startFake(rig, { plugin: { methods: { echo: (params) => params } } });
    expect(await plugin.call('echo', 1)).toBe(1);
    const other = createRig({ onAudit: (async () => broken()) as () => void });
    await startFake(other, { id: 'other' });
    await other.clock.settle();
    expect(other.logs.some(({ message }) => message.includes('sink of the audit'))).toBe(true);
  });

  test('a listener may leave, and others may come, while it is called', async () => {
    const rig = createRig();
    const heard: string[] = [];
    const off = rig.host.on('plugin.state', () => {
      heard.push('once');
      off();
      rig.host.on('plugin.state', () => void heard.push('late'));
    });
    await startFake(rig);
    expect(heard).toEqual(['once', 'late']);
  });
});
