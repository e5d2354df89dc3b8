import { describe, expect, onTestFinished, test } from 'vitest';
import { WorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { defaultFrameLimits } from '../../src/frames/limits.js';
import { resolveDialInOptions } from '../../src/host/dial-in/dial-in-options.js';
import { type Arrival, Gate } from '../../src/host/dial-in/gate.js';
import type { Clock, Timer } from '../../src/interfaces/platform.js';
import type { Connection } from '../../src/interfaces/transport.js';
import { encodeMessage } from '../../src/messages/encode-message.js';
import type { HelloFields } from '../../src/messages/message.js';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { RawPeer } from '../session/raw-peer.js';
import { codec } from '../session/session-pair.js';
import { createDialRig, type DialRig, installExternal, rawDial } from './dial-in-support.js';

/** What a stranger does with a connection; what it sets a timer for it cancels with the function that it returns. */
type Stranger = (end: Connection, pair: MemoryPair) => (() => void) | undefined;

/** Connections that are made again 5 ms after the host has ended them, until the test ends. */
interface Flood {
  /** The most that the host had not ended at the end of a turn. */
  readonly mostOpen: number;
  readonly made: number;
}

/** @param renewAnywayMs makes another after so long, also where the stranger does not see that the host has ended it. */
function flood(rig: DialRig, loops: number, stranger: Stranger, renewAnywayMs?: number): Flood {
  const { clock } = rig;
  const live = new Map<Connection, () => void>();
  const timers = new Set<Timer>();
  let running = true;
  const state = { mostOpen: 0, made: 0 };
  const later = (delayMs: number): void => {
    const timer = clock.setTimer(delayMs, () => {
      timers.delete(timer);
      connect();
    });
    timers.add(timer);
  };
  const connect = (): void => {
    const pair = rig.dial();
    const end = pair[1];
    state.made += 1;
    live.set(end, () => {});
    end.start({
      onData() {},
      onWritable() {},
      onClose() {
        live.get(end)?.();
        live.delete(end);
        if (running && renewAnywayMs === undefined) later(5);
      },
    });
    const stop = stranger(end, pair);
    if (stop !== undefined) live.set(end, stop);
    if (renewAnywayMs !== undefined) later(renewAnywayMs);
    // Those that the host ends at once are gone after a few turns.
    const note = (): void => {
      state.mostOpen = Math.max(state.mostOpen, live.size);
    };
    clock.endOfTurn(() => clock.endOfTurn(() => clock.endOfTurn(note)));
  };
  for (let loop = 0; loop < loops; loop += 1) connect();
  onTestFinished(() => {
    running = false;
    for (const timer of timers) timer.cancel();
    for (const [end, stop] of live) {
      stop();
      end.close({ abort: true });
    }
  });
  return state;
}

function frameOf(fields: HelloFields): Uint8Array {
  const body = encodeMessage({ kind: 'hello', fields }, codec, defaultFrameLimits);
  return Uint8Array.of(0, 0, body.length >> 8, body.length & 255, ...body);
}

/** Comes as an SDK does, with exponential backoff and full jitter. @returns the milliseconds until it was welcome, at most `limitMs`. */
async function knock(rig: DialRig, hello: HelloFields, { limitMs, helloAfterMs }: Patience): Promise<number> {
  const { clock } = rig;
  const beganAt = clock.now();
  for (let delay = 100; ; delay = Math.min(10_000, delay * 2)) {
    const { peer } = rawDial(rig, helloAfterMs === undefined ? hello : undefined);
    if (helloAfterMs !== undefined) {
      await clock.advance(helloAfterMs);
      if (peer.closed === undefined) peer.send({ kind: 'hello', fields: hello });
    }
    await clock.settle();
    if (peer.of('welcome').length > 0) return clock.now() - beganAt;
    const waited = clock.now() - beganAt;
    if (waited >= limitMs) return limitMs;
    await clock.advance(Math.min(rig.platform.random.fraction() * delay, limitMs - waited));
  }
}

interface Patience {
  readonly limitMs: number;
  /** The hello of one that is far away. */
  readonly helloAfterMs?: number;
}

/** How long each of so many honest workers needs, one after the other, each for a plugin of its own. Sorted. */
async function timesOf(rig: DialRig, workers: number, everyMs: number, patience: Patience): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < workers; index += 1) {
    const id = `honest-${index}`;
    const { hello } = await installExternal(rig, { id });
    const { token } = rig.host.issueToken({ plugin: id });
    times.push(await knock(rig, { ...hello, token }, patience));
    await rig.clock.advance(everyMs);
  }
  return times.sort((left, right) => left - right);
}

const strange: HelloFields = {
  versions: [1],
  role: 'worker',
  plugin: { id: 'x', version: '1.0.0' },
  manifestDigest: '0'.repeat(64),
  sdk: { name: 'x', version: '0', language: 'x' },
  token: 'swt_wrong',
  features: [],
  requiredFeatures: [],
};
const wrong = frameOf(strange);

const silent: Stranger = () => undefined;
const saysWrong: Stranger = (end) => void end.send([wrong]);
const deaf: Stranger = (end, pair) => {
  pair.faults[0].stall();
  end.send([wrong]);
  return undefined;
};
const drips =
  (clock: Clock): Stranger =>
  (end) => {
    let next = 0;
    let timer: Timer | undefined;
    const drip = (): void => {
      end.send([wrong.subarray(next, next + 1)]);
      next += 1;
      timer = next < wrong.length - 1 ? clock.setTimer(20, drip) : undefined;
    };
    drip();
    return () => timer?.cancel();
  };

describe('the gate under a flood', () => {
  test.each([
    ['say nothing', () => silent],
    ['drip their hello', drips],
    ['say a wrong hello', () => saysWrong],
  ] as const)('[dialin.gate-flood] lets honest workers in among 80 that %s and come back at once', async (_what, stranger) => {
    const rig = await createDialRig();
    const strangers = flood(rig, 80, stranger(rig.clock));
    await rig.clock.advance(300);
    const times = await timesOf(rig, 20, 23, { limitMs: 10_000 });
    expect(times[10]).toBeLessThan(100);
    expect(times.at(-1)).toBeLessThan(1_500);
    expect(strangers.mostOpen).toBeLessThanOrEqual(64);
  });

  test('[dialin.gate-flood] lets honest workers in among those that do not read why they were refused', async () => {
    const rig = await createDialRig();
    // Each of these makes another connection every 5 ms, and sees no end of any.
    const strangers = flood(rig, 16, deaf, 5);
    await rig.clock.advance(300);
    const times = await timesOf(rig, 20, 23, { limitMs: 10_000 });
    expect(strangers.made).toBeGreaterThan(1_000);
    expect(times[10]).toBeLessThan(100);
    expect(times.at(-1)).toBeLessThan(1_500);
  });

  test('[dialin.gate-flood] lets them in through a minute of it, and the audit stays bounded', async () => {
    const rig = await createDialRig();
    const strangers = flood(rig, 66, silent);
    await rig.clock.advance(300);
    const times = await timesOf(rig, 30, 2_000, { limitMs: 10_000 });
    expect(strangers.made).toBeGreaterThan(20_000);
    expect(strangers.mostOpen).toBe(64);
    expect(times.at(-1)).toBeLessThan(1_500);
    const refused = rig.host.audit({ kind: 'dial-in' }).filter((record) => record.kind === 'dial-in' && record.outcome === 'refused');
    expect(refused.length).toBeLessThanOrEqual(202);
  }, 30_000);

  test('[dialin.gate-flood] one whose hello takes its time has a chance too', async () => {
    const rig = await createDialRig();
    flood(rig, 70, silent);
    await rig.clock.advance(300);
    const times = await timesOf(rig, 5, 10, { limitMs: 60_000, helloAfterMs: 20 });
    expect(times.at(-1)).toBeLessThan(60_000);
  }, 30_000);
});

describe('a full gate', () => {
  function gateOf(maxPendingConnections: number) {
    const { clock, random } = createSimulatedPlatform();
    const judged: Arrival[] = [];
    const refused: string[] = [];
    let settle!: () => void;
    const decided = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const gate = new Gate({
      clock,
      random,
      codec,
      limits: resolveDialInOptions({ maxPendingConnections }),
      judge(arrival) {
        judged.push(arrival);
        return decided.then(() => Promise.reject(new WorkerRuntimeError('UNAUTHENTICATED', 'No.')));
      },
      onRefused: (_peer, { code }) => void refused.push(code),
    });
    const dial = (): RawPeer => {
      const pair = createMemoryPair({ clock, names: ['host', 'peer'] });
      gate.accept(pair[0]);
      return new RawPeer(pair[1]);
    };
    onTestFinished(async () => {
      gate.close();
      await clock.settle();
      expect(gate.size).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    });
    return { clock, gate, judged, refused, settle, dial };
  }

  test('[dialin.gate-flood] evicts nobody before 250 ms, as long as few come', async () => {
    const { clock, dial, refused, gate } = gateOf(2);
    const first = [dial(), dial()];
    await clock.advance(249);
    const turnedAway = dial();
    await clock.settle();
    expect(turnedAway.closed).toBeDefined();
    expect(first.every(({ closed }) => closed === undefined)).toBe(true);
    await clock.advance(1);
    const newcomer = dial();
    await clock.settle();
    expect(first.map(({ closed }) => closed !== undefined)).toEqual([true, false]);
    expect(newcomer.closed).toBeUndefined();
    expect(refused).toEqual(['OVERLOADED', 'OVERLOADED']);
    expect(gate.size).toBe(2);
  });

  test('[dialin.gate-flood] evicts nobody whose hello is being decided about, and who was refused only when the place is needed', async () => {
    const { clock, dial, judged, refused, settle, gate } = gateOf(2);
    const heard = [dial(), dial()];
    for (const peer of heard) peer.send({ kind: 'hello', fields: strange });
    await clock.advance(5_000);
    expect(judged).toHaveLength(2);
    const turnedAway = dial();
    await clock.settle();
    expect(turnedAway.closed).toBeDefined();
    expect(heard.every(({ closed }) => closed === undefined)).toBe(true);
    settle();
    await clock.settle();
    expect(heard.map((peer) => peer.of('reject')[0]?.code)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(gate.size).toBe(0);
    expect(refused).toEqual(['OVERLOADED', 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
  });

  test('[dialin.gate-flood] reads what was sent at once before it evicts, however many come in the same turn', async () => {
    const { clock, dial, judged } = gateOf(2);
    const earlier = [dial(), dial()];
    await clock.advance(1_000);
    const quick = dial();
    quick.send({ kind: 'hello', fields: strange });
    const crowd = Array.from({ length: 500 }, () => dial());
    await clock.settle();
    expect(judged).toHaveLength(1);
    expect(earlier.every(({ closed }) => closed !== undefined)).toBe(true);
    expect(crowd.filter(({ closed }) => closed === undefined)).toHaveLength(1);
  });

  test('[dialin.gate-flood] an evicted one that is heard after all is not decided about', async () => {
    const { clock, dial, judged, refused } = gateOf(1);
    const late = dial();
    await clock.advance(1_000);
    dial();
    late.send({ kind: 'hello', fields: strange });
    await clock.settle();
    expect(late.closed).toBeDefined();
    expect(judged).toEqual([]);
    expect(refused).toEqual(['OVERLOADED']);
  });
});
