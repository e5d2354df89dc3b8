import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import type { Host } from '../../src/host/create-host.js';
import type { Plugin } from '../../src/host/plugin.js';
import type { NodeHostOptions } from '../../src/node/create-node-host.js';
import { memoryStorage } from '../../src/services/memory-storage.js';
import { unixTransport } from '../../transports/unix/unix-transport.js';
import { webSocketTransport } from '../../transports/websocket/websocket-transport.js';
import { requirePythonSdk } from '../helpers/python-sdk.js';
import { type CutLine, cutLine } from './cut-line.js';
import { plugins, startHost, until } from './host-support.js';

const python = requirePythonSdk('websocket');
const folder = `${plugins}python-remote`;
const policy = { version: 1, rules: [{ effect: 'allow', capability: 'storage.read' }] } as const;

interface Worker {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
  readonly stderr: string;
}

interface Rig {
  readonly host: Host;
  readonly plugin: Plugin;
  readonly line: CutLine;
  readonly worker: Worker;
}

/** Starts the Python worker by hand: nothing of the host's launcher is involved. */
function startWorker(channel: string, token: string, env: Readonly<Record<string, string>> = {}): Worker {
  const place = mkdtempSync(join(tmpdir(), 'synapse-test-'));
  const tokenFile = join(place, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const child = spawn(python.interpreter, ['-B', join(folder, 'main.py')], {
    env: { PATH: process.env.PATH ?? '', SYNAPSE_WORKER_CHANNEL: channel, SYNAPSE_WORKER_TOKEN_FILE: tokenFile, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exit = once(child, 'close').then(([status]) => status as number | null);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
    rmSync(place, { recursive: true });
  });
  return {
    process: child,
    exit,
    get stderr() {
      return stderr;
    },
  };
}

async function startRig(kind: 'unix' | 'wss', options: NodeHostOptions = {}): Promise<Rig> {
  const storage = memoryStorage();
  await storage.set('python-remote', 'k', 'kept');
  const { host } = startHost({ policy, storage, ...options });
  const plugin = await host.install(folder, { trust: 'community' });
  const place = mkdtempSync(join(tmpdir(), 'synapse-test-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const { token } = host.issueToken({ plugin: plugin.id });
  let line: CutLine;
  let worker: Worker;
  if (kind === 'unix') {
    const { address } = await host.listen(unixTransport(), 'unix:');
    line = await cutLine(join(place, 's'), { path: address.slice('unix:'.length) });
    worker = startWorker(`unix:${line.at}`, token);
  } else {
    const { cert, key } = makeCertificate();
    const certificate = join(place, 'certificate.pem');
    writeFileSync(certificate, cert);
    const { address } = await host.listen(webSocketTransport({ tls: { cert, key } }), 'wss://127.0.0.1:0/workers');
    line = await cutLine(undefined, { host: '127.0.0.1', port: Number(new URL(address).port) });
    worker = startWorker(`wss://localhost:${line.at}/workers`, token, { SSL_CERT_FILE: certificate });
  }
  // The last hook runs first: the host parts from a worker that is still there.
  onTestFinished(() => host.stop({ graceMs: 0 }));
  await plugin.start();
  return { host, plugin, line, worker };
}

interface Told {
  readonly pid: number;
  readonly story: readonly string[];
}

const tell = async (plugin: Plugin): Promise<Told> => (await plugin.call('tell', {})) as Told;

/** What it tells once it is called again. */
async function eventually(plugin: Plugin): Promise<Told> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tell(plugin);
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe.skipIf(python.missing)('a Python worker that dials in', () => {
  describe.each(['unix', 'wss'] as const)('over %s', (kind) => {
    test('[dialin.registers] [identity.one-model] is called, inspected and stopped as a launched one', { timeout: 20_000 }, async () => {
      const { host, plugin, worker } = await startRig(kind);
      expect(await tell(plugin)).toEqual({ pid: worker.process.pid, story: ['load'] });
      const stream = plugin.stream('count', { to: 3 });
      const numbers: unknown[] = [];
      for await (const item of stream) numbers.push((item as { number: number }).number);
      expect(numbers).toEqual([0, 1, 2]);
      await host.stop();
      expect(await worker.exit).toBe(0);
    });

    test('[session.resume] a call goes on where its connection was cut, and is answered once', { timeout: 20_000 }, async () => {
      const { plugin, line, worker } = await startRig(kind);
      let begun = false;
      const call = plugin.call('slow', { seconds: 0.15 }, { onProgress: () => (begun = true) });
      await until(() => begun);
      line.cut();
      await until(() => line.connections >= 2);
      expect(await call).toBe('kept');
      expect(await tell(plugin)).toEqual({ pid: worker.process.pid, story: ['load'] });
    });

    test('[session.resume] a stream that is cut again and again has no gap and no double', { timeout: 30_000 }, async () => {
      const { plugin, line } = await startRig(kind);
      const stream = plugin.stream('count', { to: 3_000 });
      let next = 0;
      for await (const item of stream) {
        expect((item as { number: number }).number).toBe(next);
        next += 1;
        if (next % 700 === 0) line.cut();
      }
      expect(next).toBe(3_000);
      // The last cut may have been after the last item.
      await eventually(plugin);
      expect(line.connections).toBeGreaterThanOrEqual(3);
    });
  });

  test('[dialin.fresh-session] begins anew in the same process when the window is over', { timeout: 20_000 }, async () => {
    const { plugin, line, worker } = await startRig('unix', { dialIn: { resumeWindowMs: 150 } });
    let begun = false;
    const call = plugin.call('slow', { seconds: 60 }, { timeoutMs: 60_000, onProgress: () => (begun = true) }).catch((error: unknown) => error);
    await until(() => begun);
    line.refuse();
    line.cut();
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    line.heal();
    const { pid, story } = await eventually(plugin);
    expect(pid).toBe(worker.process.pid);
    expect(story).toEqual(['load', 'cancelled', 'unload', 'load']);
  });

  test('[dialin.fresh-session] begins anew when it could not keep what it had sent', { timeout: 20_000 }, async () => {
    const { plugin, line, worker } = await startRig('unix', { dialIn: { resumeMaxBytes: 500 } });
    let begun = false;
    const call = plugin.call('slow', { seconds: 0.4 }, { onProgress: () => (begun = true) }).catch((error: unknown) => error);
    await until(() => begun);
    // One item is more than the worker has promised to keep. The stream is lost too, unless all of it has arrived.
    const stream = plugin.stream('count', { to: 20 });
    const reading = (async () => {
      for await (const _ of stream) line.cut();
    })();
    await reading.catch((error: unknown) => expect(error).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true }));
    expect(await call).toMatchObject({ code: 'WORKER_LOST', mayHaveRun: true });
    expect((await eventually(plugin)).pid).toBe(worker.process.pid);
  });

  test('[session.resume] a thousand calls that are cut in their middle are answered once each', { timeout: 30_000 }, async () => {
    const { plugin, line } = await startRig('unix');
    let wrong = 0;
    let done = 0;
    const one = async (number: number): Promise<void> => {
      for (;;) {
        try {
          const answer = await plugin.call('echo', { number });
          if ((answer as { number: number }).number !== number) wrong += 1;
          done += 1;
          if (done % 150 === 0) line.cut();
          return;
        } catch (error) {
          // While it is disconnected there are no new calls; those that were under way go on.
          if ((error as { code?: string }).code !== 'WORKER_UNAVAILABLE') throw error;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < 1_000) await one(next++);
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    expect({ wrong, done }).toEqual({ wrong: 0, done: 1_000 });
    const { served } = (await plugin.call('served', {})) as { served: readonly number[] };
    expect(served.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, number) => number));
  });

  test('[dialin.tokens] with a token that is spent ends with status 1 and says what to do', { timeout: 20_000 }, async () => {
    const { host, plugin, worker } = await startRig('unix');
    const { address } = await host.listen(unixTransport(), 'unix:');
    const stranger = startWorker(address, 'x'.repeat(43));
    expect(await stranger.exit).toBe(1);
    expect(stranger.stderr).toContain('UNAUTHENTICATED');
    expect(stranger.stderr).toContain('new token');
    expect((await tell(plugin)).pid).toBe(worker.process.pid);
  });

  test('a certificate that is not known is refused before the token is told', { timeout: 20_000 }, async () => {
    const { host } = startHost({ policy });
    const plugin = await host.install(folder, { trust: 'community' });
    const { cert, key } = makeCertificate();
    const { address } = await host.listen(webSocketTransport({ tls: { cert, key } }), 'wss://localhost:0/workers');
    const worker = startWorker(address, host.issueToken({ plugin: plugin.id }).token);
    expect(await worker.exit).toBe(1);
    expect(worker.stderr).toContain('certificate');
    expect(worker.stderr).toContain('SSL_CERT_FILE');
  });

  test('SIGTERM drains it, and its plugin waits for the next one', { timeout: 20_000 }, async () => {
    const { plugin, worker } = await startRig('unix');
    let begun = false;
    const call = plugin.call('slow', { seconds: 0.1 }, { onProgress: () => (begun = true) });
    await until(() => begun);
    worker.process.kill('SIGTERM');
    expect(await call).toBe('kept');
    expect(await worker.exit).toBe(0);
  });
});
