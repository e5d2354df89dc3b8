import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Host } from '../../src/host/create-host.js';
import type { InstallOptions } from '../../src/host/host-options.js';
import type { Plugin } from '../../src/host/plugin.js';
import type { LogFunction } from '../../src/interfaces/logger.js';
import { createNodeHost, type NodeHostOptions } from '../../src/node/create-node-host.js';
import { isRunning } from '../process/host-support.js';

/** The canary: a secret of every hostile plugin that no log, audit record, notification or reason may show. */
export const canary = 'canary-7f3e9b-do-not-leak';

/** What a hostile plugin is. */
export interface HostilePlugin {
  readonly id?: string;
  /** The first argument of the worker: what it does at the start. */
  readonly start?: string;
  /** Entries of `requires.capabilities`, as flow mappings. */
  readonly requests?: readonly string[];
  readonly install?: InstallOptions;
}

/** A host with a neighbour that must not feel anything, and with ears for all that the host says. */
export interface Arena {
  readonly host: Host;
  readonly neighbour: Plugin;
  /** Installs the raw worker. It is not started. */
  install(plugin?: HostilePlugin): Promise<Plugin>;
  /** Installs the raw worker and starts it. */
  start(plugin?: HostilePlugin): Promise<Plugin>;
  /** What the host logged, audited and notified in the present test. */
  readonly said: readonly unknown[];
}

const directory = fileURLToPath(new URL('../fixtures/programs/', import.meta.url));
/** What moves the cursor, colours, hides or turns text. Line feeds are looked for where a line is expected. */
export const harmful = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const quick = { exitTimeoutMs: 100, killTimeoutMs: 100, hookTimeoutMs: 500, startTimeoutMs: 4_000, graceMs: 200 };

/**
 * A host for the tests of a file. After each of them: the neighbour answers, the host's records hold neither the canary nor anything that steers
 * a terminal, and no process of a hostile plugin is left once it is stopped.
 */
export function arena(options: NodeHostOptions = {}): Arena {
  let host: Host;
  let neighbour: Plugin;
  let said: unknown[] = [];
  let count = 0;
  const hostile = new Set<Plugin>();
  const pids = new Set<number>();
  const note: LogFunction = (fields, message) => void said.push({ fields, message });

  beforeAll(async () => {
    host = createNodeHost({
      policy: { version: 1, rules: [{ effect: 'allow', capability: '*' }] },
      logger: { debug: note, info: note, warn: note, error: note },
      onAudit: (record) => said.push(record),
      ...options,
      timings: { ...quick, ...options.timings },
    });
    for (const name of ['plugin.state', 'worker.state', 'plugin.log', 'plugin.health', 'worker.violation'] as const) {
      host.on(name, (notification) => {
        said.push(notification);
        for (const plugin of hostile) if (plugin.worker?.pid !== undefined) pids.add(plugin.worker.pid);
      });
    }
    neighbour = await install({ id: 'neighbour' });
    hostile.delete(neighbour);
    await neighbour.start();
  });

  afterEach(async () => {
    const generation = neighbour.worker?.generation;
    expect(await neighbour.call('echo', 'unharmed', { timeoutMs: 2_000 })).toBe('unharmed');
    expect(generation).toBe(1);
    for (const plugin of hostile) {
      const pid = plugin.worker?.pid;
      if (pid !== undefined) pids.add(pid);
    }
    await Promise.all([...hostile].map((plugin) => plugin.stop({ graceMs: 0 })));
    for (const pid of pids) expect(isRunning(pid)).toBe(false);
    for (const plugin of hostile) await host.uninstall(plugin.id).catch(() => {});
    expectHarmless(said);
    hostile.clear();
    pids.clear();
    said = [];
  });

  afterAll(() => host.stop({ graceMs: 0 }));

  async function install({ id = `hostile-${++count}`, start = 'serve', requests = [], install: how = {} }: HostilePlugin = {}): Promise<Plugin> {
    const manifest = [
      `id: ${id}`,
      'name: Hostile',
      'author: somebody',
      'type: skill',
      'version: 1.0.0',
      ...(requests.length === 0 ? [] : ['requires:', '  capabilities:', ...requests.map((request) => `    - ${request}`)]),
      'config_schema:',
      '  token: { type: string, secret: true }',
      `runtime: { type: python, entry: hostile-worker.py, args: ["${start}"] }`,
      '',
    ].join('\n');
    const plugin = await host.install({ manifest, directory }, { config: { token: canary }, ...how });
    hostile.add(plugin);
    return plugin;
  }

  return {
    get host() {
      return host;
    },
    get neighbour() {
      return neighbour;
    },
    get said() {
      return said;
    },
    install,
    async start(plugin) {
      const installed = await install(plugin);
      await installed.start();
      return installed;
    },
  };
}

/** Neither the canary nor anything that steers a terminal stands in it, at any depth. */
export function expectHarmless(value: unknown): void {
  expect(inspect(value, { depth: 32, maxArrayLength: 1_000, maxStringLength: 20_000, breakLength: 200 })).not.toContain(canary);
  for (const text of textsOf(value)) expect(text).not.toMatch(harmful);
}

/** All strings within it, keys included; of errors what a log would show. */
function* textsOf(value: unknown, depth = 0): Iterable<string> {
  if (typeof value === 'string') yield value;
  if (typeof value !== 'object' || value === null || depth > 32 || ArrayBuffer.isView(value)) return;
  if (value instanceof Error) yield value.message;
  for (const [key, part] of Object.entries(value)) {
    yield key;
    yield* textsOf(part, depth + 1);
  }
}
