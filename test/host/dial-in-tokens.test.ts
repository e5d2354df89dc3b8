import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { warnOfUnknownPlugins } from '../../src/host/dial-in/unknown-plugins.js';
import type { Launcher } from '../../src/interfaces/launcher.js';
import { silentLogger } from '../../src/interfaces/logger.js';
import type { Grant } from '../../src/policy/grant.js';
import type { GrantStore } from '../../src/policy/grant-store.js';
import { answerTo, createDialRig, type DialRig, externalManifest, helloOf, installExternal, RemoteWorker, rawDial } from './dial-in-support.js';
import { allow, controls, gate, rejection, textsIn } from './support.js';

const unauthenticated = 'The host does not accept this token here; its audit says why.';

/** What the audit says about those who were refused. */
const refusals = (rig: DialRig): string[] =>
  rig.host.audit({ kind: 'dial-in' }).flatMap((record) => (record.kind === 'dial-in' && record.outcome === 'refused' ? [record.reason] : []));

describe('a registration token', () => {
  test('[dialin.tokens] is told once, and only its digest is kept', async () => {
    const rig = await createDialRig();
    const { token, id, expiresAt } = rig.host.issueToken({ plugin: 'tested', by: 'ada' });
    expect(token).toMatch(/^swt_[0-9a-f]{64}$/);
    expect(Date.parse(expiresAt) - rig.clock.wallTime()).toBe(600_000);
    expect(rig.host.tokens).toEqual([{ id, role: 'worker', plugins: ['tested'], usesLeft: 1, expiresAt }]);
    expect(rig.host.audit({ kind: 'token' })).toMatchObject([{ action: 'issued', tokenId: id, plugins: ['tested'], uses: 1, by: 'ada' }]);
    expect(textsIn([rig.host.tokens, rig.host.audit()]).join(' ')).not.toContain(token.slice(8, 40));
    expect(rig.host.issueToken({ plugin: 'tested' }).token).not.toBe(token);
  });

  test('[dialin.tokens] is good for one registration, or for as many as it was issued for', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const register = async (token: string): Promise<void> => {
      const remote = new RemoteWorker(rig, { ...hello, features: [], token });
      await remote.connect();
      await rig.clock.settle();
      expect(plugin.state).toBe('active');
      await rig.clock.runUntil(plugin.stop());
    };
    const once = rig.host.issueToken({ plugin: 'tested' });
    await register(once.token);
    expect(await answerTo(rig, { ...hello, token: once.token })).toBe('UNAUTHENTICATED');
    expect(refusals(rig)).toEqual(['Its token is spent.']);
    const twice = rig.host.issueToken({ plugin: 'tested', uses: 2 });
    await register(twice.token);
    expect(rig.host.tokens).toMatchObject([{ id: twice.id, usesLeft: 1 }]);
    await register(twice.token);
    expect(await answerTo(rig, { ...hello, token: twice.token })).toBe('UNAUTHENTICATED');
    expect(rig.host.tokens).toEqual([]);
  });

  test('[dialin.tokens] whatever is wrong, the peer gets one answer, and the audit tells what it was', async () => {
    const rig = await createDialRig();
    const { hello, manifest } = await installExternal(rig);
    await installExternal(rig, { id: 'other' });
    const expired = rig.host.issueToken({ plugin: 'tested', expiresInMs: 1_000 });
    const revoked = rig.host.issueToken({ plugin: 'tested' });
    rig.host.revokeToken(revoked.id, { by: 'ada' });
    await rig.clock.advance(1_000);
    const good = rig.host.issueToken({ plugin: 'tested' });
    const foreign = rig.host.issueToken({ plugin: 'other' });
    const controller = rig.host.issueToken({ role: 'controller', plugins: ['tested'] });
    const absent = rig.host.issueToken({ plugin: 'absent' });
    const attempts = [
      { ...hello },
      { ...hello, token: '' },
      { ...hello, token: 'swt_guess' },
      { ...hello, token: expired.token },
      { ...hello, token: revoked.token },
      { ...hello, token: foreign.token },
      { ...hello, token: controller.token },
      { ...hello, token: good.id },
      { ...hello, token: good.token, manifestDigest: 'a'.repeat(64) },
      { ...hello, token: good.token, manifestDigest: undefined, manifest: `${manifest} ` },
      { ...hello, token: good.token, manifest: `${manifest} ` },
      { ...hello, token: absent.token, plugin: { id: 'absent', version: '1.0.0' } },
      { ...hello, role: 'controller' as const, plugin: undefined, token: good.token },
      { ...hello, resume: { session: '', token: good.token, received: 0 } },
      { ...hello, token: good.token, resume: { session: 'x', token: 'swr_guess', received: 0 } },
    ];
    const answers = new Set<string>();
    for (const attempt of attempts) {
      const { reject } = rawDial(rig, attempt);
      await rig.clock.settle();
      answers.add(JSON.stringify(reject()));
    }
    expect([...answers]).toEqual([
      JSON.stringify({ kind: 'reject', code: 'UNAUTHENTICATED', message: unauthenticated, supported: { versions: [1], features: ['resume'] } }),
    ]);
    expect(refusals(rig)).toEqual([
      'It brought no token.',
      'Its token was never issued, or long ago.',
      'Its token was never issued, or long ago.',
      'Its token has expired.',
      'Its token was revoked.',
      'Its token is for another plugin.',
      'Its token is not one for a worker.',
      'Its token was never issued, or long ago.',
      'Its manifest is not the one that is installed.',
      'Its manifest is not the one that is installed.',
      'Its manifest is not the one that is installed.',
      'Its plugin is not installed, and its token is not for installing it.',
      'Its token is not one for a controller.',
      'The secret of its session is not that of the latest worker.',
      'The secret of its session is not that of the latest worker.',
    ]);
    // None of it cost the good token its use.
    expect(rig.host.tokens.find(({ id }) => id === good.id)?.usesLeft).toBe(1);
    expect(await answerTo(rig, { ...hello, token: good.token })).toBe('welcome');
  });

  test('[dialin.tokens] two connections with one token: one is let in, the other told to come again', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const { token } = rig.host.issueToken({ plugin: 'tested' });
    const first = rawDial(rig, { ...hello, token });
    const second = rawDial(rig, { ...hello, token });
    await rig.clock.settle();
    expect([first, second].map(({ peer, reject }) => reject()?.code ?? peer.of('welcome').length)).toEqual([1, 'OVERLOADED']);
    expect(plugin.worker?.generation).toBe(1);
    first.peer.close();
  });

  test('[dialin.tokens] that is revoked while its peer is being let in lets nobody in', async () => {
    const stored = gate<readonly Grant[]>();
    const grantStore: GrantStore = { list: () => stored.promise, add: async () => {}, remove: async () => [] };
    const rig = await createDialRig({ grantStore });
    const { plugin, hello } = await installExternal(rig);
    const { token, id } = rig.host.issueToken({ plugin: 'tested' });
    const { peer, reject } = rawDial(rig, { ...hello, token });
    await rig.clock.settle();
    rig.host.revokeToken(id);
    stored.open([]);
    await rig.clock.settle();
    expect(peer.of('welcome')).toEqual([]);
    expect(reject()?.code).toBe('UNAUTHENTICATED');
    await rig.clock.advance(10_000);
    expect(plugin.state).toBe('idle');
  });

  test('[dialin.tokens] a peer that is gone before it is welcomed uses none up', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const { token } = rig.host.issueToken({ plugin: 'tested' });
    const { pair } = rawDial(rig, { ...hello, token });
    pair.faults[1].cut();
    await rig.clock.runUntilIdle();
    expect(plugin.state).toBe('idle');
    expect(rig.host.tokens).toMatchObject([{ usesLeft: 1 }]);
  });

  test('[dialin.tokens] for a plugin that is not installed is issued with a warning, unless its worker may bring the manifest', async () => {
    const rig = await createDialRig();
    await installExternal(rig);
    rig.host.issueToken({ plugin: 'tested' });
    rig.host.issueToken({ plugin: 'brought', install: {} });
    expect(rig.logs).toEqual([]);
    rig.host.issueToken({ plugin: 'tsetd' });
    rig.host.issueToken({ role: 'controller', plugins: ['tested', 'absent\u001b[31m'] });
    expect(rig.logs).toMatchObject([
      { level: 'warn', fields: { pluginId: 'tsetd' }, message: expect.stringMatching(/^A token was issued for "tsetd", which is not installed: /) },
      { level: 'warn', message: expect.stringMatching(/^A token was issued for "absent/) },
    ]);
    expect(textsIn(rig.logs).some((text) => controls.test(text))).toBe(false);
    expect(rig.host.tokens).toHaveLength(4);
  });

  test('[dialin.tokens] the warning names the installed plugin that was probably meant', () => {
    const warnings: string[] = [];
    const logger = { ...silentLogger, warn: (_fields: unknown, message: string) => void warnings.push(message) };
    const installed = { find: (id: string) => (id === 'weather' ? {} : undefined), installedIds: () => ['weather'] };
    warnOfUnknownPlugins({ plugin: 'waether' }, installed, logger);
    warnOfUnknownPlugins({ plugin: 'printer' }, installed, logger);
    expect(warnings).toEqual([
      'A token was issued for "waether", which is not installed: was "weather" meant?',
      'A token was issued for "printer", which is not installed: install it before the token is used.',
    ]);
  });

  test('[dialin.tokens] is not issued for nonsense', async () => {
    const rig = await createDialRig();
    const bad: unknown[] = [
      {},
      { plugin: '' },
      { plugin: 'x'.repeat(129) },
      { plugin: 'tested', uses: 0 },
      { plugin: 'tested', uses: 1.5 },
      { plugin: 'tested', uses: Number.NaN },
      { plugin: 'tested', expiresInMs: Number.POSITIVE_INFINITY },
      { plugin: 'tested', expireInMs: 5 },
      { plugin: 'tested', role: 'operator' },
      { plugin: 'tested', plugins: ['tested'] },
      { role: 'controller', plugins: 'tested' },
      { role: 'controller', plugins: [''] },
      { plugin: 'tested', install: { trusted: true } },
    ];
    for (const options of bad) {
      let thrown: unknown;
      try {
        rig.host.issueToken(options as never);
      } catch (error) {
        thrown = error;
      }
      expect(isWorkerRuntimeError(thrown, 'INVALID_ARGUMENT'), JSON.stringify(options)).toBe(true);
    }
    expect(() => rig.host.revokeToken('unknown')).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('the manifest of a worker that dials in', () => {
  test('[dialin.manifest] is installed from the worker only with a token for that, as the operator said', async () => {
    const rig = await createDialRig();
    const manifest = externalManifest({ id: 'brought' });
    const hello = { ...helloOf(manifest), manifestDigest: undefined, manifest };
    const plain = rig.host.issueToken({ plugin: 'brought' });
    expect(await answerTo(rig, { ...hello, token: plain.token })).toBe('UNAUTHENTICATED');
    const installing = rig.host.issueToken({ plugin: 'brought', install: { trust: 'community', limits: { maxConcurrency: 3 } } });
    expect(await answerTo(rig, { ...hello, manifest: undefined, manifestDigest: helloOf(manifest).manifestDigest, token: installing.token })).toBe(
      'UNAUTHENTICATED',
    );
    const remote = new RemoteWorker(rig, { ...hello, token: installing.token });
    const welcome = await remote.connect();
    await rig.clock.settle();
    expect(rig.host.plugin('brought')).toMatchObject({ state: 'active', trust: 'community' });
    expect(welcome.limits.maxConcurrency).toBe(3);
  });

  test('[dialin.manifest] that a worker brought starts nothing at the host, whatever it says', async () => {
    const launched: string[] = [];
    const launcher: Launcher = {
      name: 'spy',
      isolation: 'process',
      launch: ({ pluginId }) => Promise.reject(new Error(launched.push(pluginId).toString())),
    };
    const rig = await createDialRig({ launcher });
    const manifest = externalManifest({ id: 'brought', more: { runtime: { type: 'executable', entry: 'bin/evil' } } });
    const { token } = rig.host.issueToken({ plugin: 'brought', install: {} });
    expect(await answerTo(rig, { ...helloOf(manifest), manifestDigest: undefined, manifest, token, features: [] })).toBe('welcome');
    await rig.clock.settle();
    const plugin = rig.host.plugin('brought');
    expect(plugin.state).toBe('idle');
    const starting = rejection(plugin.start());
    expect(await rig.clock.runUntil(starting)).toMatchObject({ reason: { code: 'START_TIMEOUT' } });
    expect(launched).toEqual([]);
    // What the operator installs is the operator's.
    await rig.host.install({ manifest });
    await rejection(plugin.start());
    expect(launched).toEqual(['brought']);
  });

  test("[dialin.manifest] another plugin's, or one with errors, is not installed", async () => {
    const rig = await createDialRig();
    const { token } = rig.host.issueToken({ plugin: 'brought', install: {} });
    const other = externalManifest({ id: 'victim' });
    const hello = { ...helloOf(other), manifestDigest: undefined, plugin: { id: 'brought', version: '1.0.0' }, token };
    expect(await answerTo(rig, { ...hello, manifest: other })).toBe('UNAUTHENTICATED');
    const { reject } = rawDial(rig, { ...hello, manifest: '{"id": "brought"}' });
    await rig.clock.settle();
    expect(reject()).toMatchObject({ code: 'HANDSHAKE_INVALID', message: expect.stringMatching(/name is required/) });
    expect(rig.host.plugins).toEqual([]);
  });

  test('[dialin.manifest] that is of another version than the hello says, or is not named at all, is told so', async () => {
    const rig = await createDialRig();
    const { hello } = await installExternal(rig);
    const { token } = rig.host.issueToken({ plugin: 'tested' });
    for (const wrong of [{ plugin: { id: 'tested', version: '2.0.0' } }, { manifestDigest: undefined }, { plugin: undefined }]) {
      expect(await answerTo(rig, { ...hello, token, ...wrong })).toBe('HANDSHAKE_INVALID');
    }
    for (const wrong of [{ versions: [7] }, { versions: [] }]) expect(await answerTo(rig, { ...hello, token, ...wrong })).toBe('UNSUPPORTED_VERSION');
    expect(await answerTo(rig, { ...hello, token, requiredFeatures: ['telepathy'] })).toBe('MISSING_FEATURE');
    expect(await answerTo(rig, { ...hello, token })).toBe('welcome');
  });
});

describe('a plugin whose worker dials in', () => {
  test('[dialin.approval] [identity.one-model] needs the same approval, and its grants hold, as for a worker that was launched', async () => {
    const rig = await createDialRig({ rules: [allow('events.publish', { topics: ['news.**'] })] });
    const { plugin, hello } = await installExternal(rig, {
      requests: [
        { capability: 'events.publish', topics: ['news.**'] },
        { capability: 'storage.write', keys: ['a'] },
      ],
    });
    const { token } = rig.host.issueToken({ plugin: 'tested' });
    const { reject } = rawDial(rig, { ...hello, token });
    await rig.clock.settle();
    expect(reject()).toMatchObject({
      code: 'APPROVAL_REQUIRED',
      message: '"tested" awaits approval by the operator of the host; nothing is wrong with this worker.',
    });
    expect(plugin.state).toBe('pending');
    await plugin.approve({ by: 'ada' });
    const remote = new RemoteWorker(rig, { ...hello, token });
    const welcome = await remote.connect();
    await rig.clock.settle();
    expect(plugin.state).toBe('active');
    expect(welcome.grants.map(({ capability }) => capability).sort()).toEqual(['events.publish', 'storage.write']);
    await expect(remote.session.call('events.publish', { topic: 'news.today' })).resolves.toMatchObject({ id: expect.any(String) });
    expect(await rejection(remote.session.call('events.publish', { topic: 'secret' }))).toMatchObject({ code: 'CAPABILITY_DENIED' });
    expect(rig.host.audit({ pluginId: 'tested', kind: 'decision' })).toMatchObject([
      { generation: 1, workerId: plugin.worker?.id, method: 'events.publish' },
    ]);
  });

  test('[dialin.approval] that is disabled, quarantined, wants more isolation or has a worker says so to whoever has a token', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const { token } = rig.host.issueToken({ plugin: 'tested', uses: 9 });
    await plugin.disable();
    expect(await answerTo(rig, { ...hello, token })).toBe('WORKER_UNAVAILABLE');
    plugin.enable();
    const remote = new RemoteWorker(rig, { ...hello, token });
    await remote.connect();
    await rig.clock.settle();
    expect(await answerTo(rig, { ...hello, token })).toBe('OVERLOADED');
    // Now it breaks the protocol.
    remote.pair[1].send([Uint8Array.of(0, 0, 0, 1, 0xc1)]);
    await rig.clock.settle();
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'PROTOCOL_ERROR' } });
    expect(remote.ends).toMatchObject([{ code: 'PROTOCOL_ERROR', goodbye: true }]);
    expect(await answerTo(rig, { ...hello, token })).toBe('WORKER_UNAVAILABLE');
    expect(await answerTo(rig, remote.resumeHello())).toBe('UNAUTHENTICATED');
    const { hello: boxed } = await installExternal(rig, { id: 'boxed', more: { min_isolation: 'process' } });
    expect(await answerTo(rig, { ...boxed, token: rig.host.issueToken({ plugin: 'boxed' }).token })).toBe('WORKER_UNAVAILABLE');
    expect(rig.host.plugin('boxed').state).toBe('idle');
    expect(rig.host.tokens.map(({ usesLeft }) => usesLeft)).toEqual([8, 1]);
  });

  test('[dialin.approval] one whose on_load fails is quarantined, as a launched one', async () => {
    const rig = await createDialRig();
    const { plugin, hello } = await installExternal(rig);
    const remote = new RemoteWorker(rig, { ...hello, token: rig.host.issueToken({ plugin: 'tested' }).token });
    remote.onLoad = () => {
      throw new Error('no database');
    };
    await remote.connect();
    await rig.clock.runUntilIdle();
    expect(plugin).toMatchObject({ state: 'quarantined', reason: { code: 'LOAD_FAILED', message: 'no database' } });
    expect(remote.ends).toHaveLength(1);
  });
});
