import { expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import { createDialRig, installExternal, RemoteWorker, rawDial } from './dial-in-support.js';

/** What a call may end with, whatever happens. */
const expected = ['WORKER_LOST', 'WORKER_UNAVAILABLE', 'DEADLINE_EXCEEDED', 'OVERLOADED', 'DRAINING', 'HOST_STOPPED', 'CANCELLED'];
const seeds = Array.from({ length: 25 }, (_, index) => index + 1);

test.each(seeds)(
  '[dialin.fresh-session] [session.resume] whatever happens in whatever order, nothing is run twice and nothing is stuck (seed %i)',
  async (seed) => {
    const rig = await createDialRig({ dialIn: { maxConnectsPerMinute: 10_000 } });
    const { plugin, hello } = await installExternal(rig, { install: { limits: { maxConcurrency: 1_000 } } });
    const fraction = seededFraction(seed);
    const runs = new Map<number, number>();
    const outcomes = new Map<number, unknown>();
    let made = 0;
    const remotes: RemoteWorker[] = [];
    const background: Promise<unknown>[] = [];
    const inBackground = (work: Promise<unknown>): void => {
      const quiet = work.catch((error: unknown) => {
        if (!isWorkerRuntimeError(error)) throw error;
      });
      background.push(quiet);
    };

    const recruit = (): void => {
      const { token } = rig.host.issueToken({ plugin: 'tested' });
      const remote = new RemoteWorker(rig, { ...hello, token });
      remote.methods.work = async (call) => {
        const { n } = call.params as { n: number };
        runs.set(n, (runs.get(n) ?? 0) + 1);
        if (n % 4 === 0) await new Promise<void>((resolve) => rig.clock.setTimer(n % 700, resolve));
        return n;
      };
      remotes.push(remote);
      inBackground(remote.connect());
    };
    const latest = (): RemoteWorker | undefined => remotes.filter(({ welcome }) => welcome !== undefined).at(-1);
    const call = (): void => {
      const n = made++;
      plugin.call('work', { n }, { timeoutMs: 20_000 }).then(
        (value) => outcomes.set(n, value),
        (error: { code: string }) => outcomes.set(n, error.code),
      );
    };

    const actions: (() => unknown)[] = [
      recruit,
      call,
      call,
      call,
      () => latest()?.pair.faults[fraction() < 0.5 ? 0 : 1].cut({ deliverBytes: Math.floor(fraction() * 500) }),
      () => latest()?.pair.faults[0].stall(),
      () => inBackground(latest()?.resume() ?? Promise.resolve()),
      () => inBackground(latest()?.resume() ?? Promise.resolve()),
      () => inBackground(latest()?.connect(latest()?.resumeHello({ session: '' })) ?? Promise.resolve()),
      () => rig.clock.advance(Math.floor(fraction() * 3_000)),
      () => rig.clock.advance(fraction() < 0.2 ? 35_000 : 0),
      () => inBackground(plugin.start()),
      () => fraction() < 0.3 && inBackground(plugin.stop({ graceMs: Math.floor(fraction() * 2_000) })),
      () => fraction() < 0.1 && plugin.disable().then(() => plugin.enable()),
      () => void rawDial(rig, fraction() < 0.5 ? undefined : { ...hello, token: 'swt_guess' }),
      () => latest()?.session.close('DRAINED', 'It leaves.'),
    ];
    recruit();
    for (let step = 0; step < 120; step += 1) {
      const act = actions[Math.floor(fraction() * actions.length)] as () => unknown;
      const done = act();
      if (done instanceof Promise) inBackground(rig.clock.runUntil(done));
      if (fraction() < 0.6) await rig.clock.settle();
    }
    await rig.clock.advance(120_000);
    await rig.clock.runUntil(Promise.all(background));

    // Every call has settled; what was answered ran once, and nothing ran twice.
    expect(outcomes.size).toBe(made);
    expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
    for (const [n, outcome] of outcomes) {
      if (outcome === n) expect(runs.get(n)).toBe(1);
      else expect(expected).toContain(outcome);
    }
    // The plugin is not stuck: an operator and a new worker bring it back.
    plugin.enable();
    await rig.clock.runUntil(plugin.stop({ graceMs: 0 }));
    recruit();
    await rig.clock.advance(100);
    expect(plugin.state).toBe('active');
    await expect(plugin.call('work', { n: -1 })).resolves.toBe(-1);
  },
);
