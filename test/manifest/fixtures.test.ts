import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ProblemCode } from '../../src/manifest/index.js';
import { parse, readFixture } from './support.js';

/** The warnings that each manifest gives; none of them has an error. */
const expected: Readonly<Record<string, readonly ProblemCode[]>> = {
  'docs-list-dialect.yml': [
    ...(['LEGACY_PERMISSION', 'LEGACY_PERMISSION', 'PERMISSION_NOT_AVAILABLE', 'LEGACY_PERMISSION', 'LEGACY_PERMISSION'] as const),
    ...(['PERMISSION_NOT_AVAILABLE', 'PERMISSION_NOT_AVAILABLE', 'LEGACY_PERMISSION', 'PERMISSION_NOT_AVAILABLE'] as const),
  ],
  'host-channel.yml': ['NO_RUNTIME'],
  'host-mcp.yml': ['NO_RUNTIME'],
  'host-model.yml': ['NO_RUNTIME'],
  'host-skill.yml': ['NO_RUNTIME', 'LEGACY_PERMISSION', 'LEGACY_PERMISSION', 'LEGACY_PERMISSION'],
  'published-provider.yml': ['NO_RUNTIME', 'ID_NOT_IN_CORE', 'TYPE_NOT_IN_CORE'],
  'roadmap-external.yml': ['TYPE_NOT_IN_CORE'],
  'spec-bundle.yml': ['NO_RUNTIME', 'TYPE_NOT_IN_CORE'],
  'spec-mcp.yml': ['NO_RUNTIME'],
  'spec-skill-bundle.yml': ['NO_RUNTIME', 'TYPE_NOT_IN_CORE'],
  'template-json-schema.yml': ['NO_RUNTIME'],
  'worker-channel.json': [],
  'worker-provider.yml': [],
};

describe('[manifest.host-dialects] manifests as they stand in the wild', () => {
  it('are all listed', () => {
    expect(readdirSync(new URL('fixtures/', import.meta.url)).sort()).toEqual(Object.keys(expected).sort());
  });

  for (const [name, codes] of Object.entries(expected)) {
    it(`${name} is valid, with the warnings that belong to it`, () => {
      const { valid, problems } = parse(readFixture(name), name);
      expect(problems.map((problem) => problem.code)).toEqual(codes);
      expect(valid).toBe(true);
    });
  }

  it('come out the same whether their format is known from the name or from the content', () => {
    for (const name of Object.keys(expected)) expect(parse(readFixture(name))).toEqual(parse(readFixture(name), name));
  });
});

describe('the normal form', () => {
  const manifest = (name: string) => parse(readFixture(name), name).manifest!;

  it('of a published provider', () => {
    expect(manifest('published-provider.yml')).toMatchObject({
      id: 'synapse-team/attic-provider',
      type: 'model-provider',
      kind: 'model',
      slots: { channelId: undefined, providerId: 'attic' },
      requires: {
        plugins: [{ id: 'oauth-helper', version: '>=1.0.0' }],
        softRequires: [{ id: 'metrics-exporter', version: '>=1.0.0', feature: 'Metrics of each plugin' }],
        synapseVersion: '>=2.6.0',
        apiVersion: '>=1.0.0',
        java: '>=25',
      },
      resources: { max_threads: 10, lifecycle_timeout_seconds: 15, message_handler_timeout_seconds: 180 },
      limits: { maxConcurrency: 10, hookTimeoutMs: 15_000, handlerTimeoutMs: 180_000 },
      hostFields: { auth_modes: ['api_key', 'acp'], language: 'java', build_system: 'maven' },
      runtime: undefined,
      requests: [],
    });
  });

  it('of a model: features grant nothing', () => {
    const { features, requests, hooks } = manifest('host-model.yml');
    expect(features).toEqual({ streaming: true, function_calling: false, vision: false, embeddings: true, self_hosted: true });
    expect(requests).toEqual([]);
    expect(hooks).toEqual({ on_install: 'configure', on_uninstall: 'onUninstall', on_request: 'complete', on_response: 'onResponse' });
  });

  it('of a skill with permissions: without limits they always need a person', () => {
    const { type, requests } = manifest('host-skill.yml');
    expect(type).toBe('skill');
    expect(requests).toMatchObject([
      {
        capability: 'filesystem.read',
        scope: { paths: ['/'] },
        origin: 'permissions',
        alwaysNeedsApproval: true,
        path: '/permissions/filesystem/read',
        line: 20,
      },
      { capability: 'network.http', scope: { hosts: ['*'] }, alwaysNeedsApproval: true, path: '/permissions/network/enabled' },
      { capability: 'secrets.read', scope: { names: ['SEARCH_KEY'] }, alwaysNeedsApproval: false, path: '/permissions/secrets/required/0' },
    ]);
  });

  it('[manifest.legacy-permissions] of a list of permissions', () => {
    const { requests, runtime, limits } = manifest('docs-list-dialect.yml');
    expect(requests.map(({ capability, scope, alwaysNeedsApproval }) => ({ capability, scope, alwaysNeedsApproval }))).toEqual([
      { capability: 'network.http', scope: { hosts: ['*'], ports: ['*'], methods: ['*'], schemes: ['*'] }, alwaysNeedsApproval: true },
      { capability: 'network.http', scope: { hosts: ['api.example.com'], ports: ['*'], methods: ['*'], schemes: ['*'] }, alwaysNeedsApproval: false },
      { capability: 'filesystem.read', scope: { paths: ['/'] }, alwaysNeedsApproval: true },
      { capability: 'filesystem.write', scope: { paths: ['/workspace'] }, alwaysNeedsApproval: false },
      { capability: 'agents.message', scope: { channels: ['*'] }, alwaysNeedsApproval: true },
    ]);
    expect(runtime).toEqual({ type: 'python', entry: 'main.py', args: [], env: {}, channel: 'fd', minVersion: '3.11' });
    expect(limits).toMatchObject({ maxMemoryBytes: 268_435_456, maxCpuPercent: 50, handlerTimeoutMs: 30_000 });
  });

  it("of the roadmap's external plugin", () => {
    expect(manifest('roadmap-external.yml')).toMatchObject({
      type: 'external',
      slots: { channelId: 'echo' },
      runtime: { type: 'python', entry: 'src/main.py', args: ['--verbose'], env: { LOG_LEVEL: 'debug' }, channel: 'fd' },
    });
  });

  it('of a worker, with all that this runtime adds', () => {
    const worker = manifest('worker-provider.yml');
    expect(worker.runtime).toEqual({
      type: 'python',
      entry: 'src/summarizer/main.py',
      args: ['--ranker', 'lexrank'],
      env: { PYTHONUNBUFFERED: '1', MODEL_SIZE: 'small' },
      channel: 'fd',
      minVersion: '3.10',
    });
    expect(worker.requests).toEqual([
      {
        capability: 'network.http',
        scope: { hosts: ['api.example.com'], ports: ['443'], methods: ['GET'], schemes: ['*'] },
        reason: 'Fetches pages to summarize.',
        optional: false,
        origin: 'requires',
        path: '/requires/capabilities/0',
        line: 21,
        alwaysNeedsApproval: false,
      },
      {
        capability: 'storage.write',
        scope: { keys: ['cache/*'] },
        optional: true,
        origin: 'requires',
        path: '/requires/capabilities/1',
        line: 26,
        alwaysNeedsApproval: false,
      },
      {
        capability: 'storage.read',
        scope: { keys: ['*'] },
        optional: false,
        origin: 'requires',
        path: '/requires/capabilities/2',
        line: 29,
        alwaysNeedsApproval: false,
      },
    ]);
    expect(worker.provides.methods.summarize).toMatchObject({ idempotent: true, params: { required: ['text'] } });
    expect(worker.provides.streams.narrate).toMatchObject({ result: { type: ['object', 'null'] } });
    expect(worker.provides.events).toEqual({ 'summary.done': { type: 'object' } });
    expect(worker.limits).toMatchObject({ maxConcurrency: 4, handlerTimeoutMs: 60_000, maxMemoryBytes: 536_870_912 });
    expect(worker.minIsolation).toBe('process');
  });

  it('of a list of capabilities: shorthand for requests', () => {
    expect(manifest('worker-channel.json').requests).toMatchObject([
      { capability: 'agents.message', origin: 'shorthand', path: '/capabilities/0', line: 8 },
      { capability: 'events.publish', scope: { topics: ['terminal.*'] }, origin: 'shorthand', path: '/capabilities/1' },
    ]);
  });

  it('is frozen all the way down', () => {
    const worker = manifest('worker-provider.yml');
    expect(Object.isFrozen(worker.requests[0]?.scope.hosts)).toBe(true);
    expect(Object.isFrozen(worker.provides.methods.summarize?.params)).toBe(true);
  });
});
