import { defaultFrameLimits } from '../../src/frames/limits.js';
import type { Message } from '../../src/messages/message.js';
import { acceptHandshake, noReceiver, performHandshake } from '../../src/session/handshake.js';
import { MessageConnection } from '../../src/session/message-connection.js';
import { Session, type SessionEnd } from '../../src/session/session.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';
import { createMemoryPair, type MemoryPair } from '../../transports/memory/memory-pair.js';
import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import { admitted, codec, hello } from '../session/session-pair.js';
import { Actor } from './actor.js';
import { WireTap } from './wire-tap.js';
import { createWorld, handle, type World } from './world.js';

/** What came of one run. */
export interface SimulationReport {
  readonly seed: number;
  /** Broken invariants; empty if all held. */
  readonly violations: readonly string[];
  readonly traceHash: string;
  /** How many calls ended how. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly messages: number;
  /** How the host's session ended. */
  readonly end: string;
}

const limits = { ...defaultFrameLimits, maxFrameBytes: 200_000 };

interface Side {
  readonly maxQueuedBytes: number;
  readonly name: 'host' | 'peer';
  readonly connection: MessageConnection;
  readonly tap: WireTap;
  readonly actor: Actor;
  session: Session | undefined;
  readonly ends: SessionEnd[];
}

/**
 * Two sessions over a faulty connection, on a simulated clock: everything that happens follows from the seed. At each step one side does
 * something random, or the connection gets worse or better, or time passes; then the session ends in one of many ways, and
 * everything that was promised is checked.
 */
export async function simulate(seed: number, onTrace?: (line: string) => void): Promise<SimulationReport> {
  const clock = new SimulatedClock();
  const world = createWorld(clock, seededFraction(seed), onTrace);
  const pair = createMemoryPair({ clock, fraction: world.fraction, highWaterMark: world.pick([200, 5_000, 65_536]) });
  let messages = 0;
  const onMessage = (): void => {
    messages += 1;
  };
  const host = createSide(world, 'host', pair, onMessage);
  const peer = createSide(world, 'peer', pair, onMessage);
  const sides = [host, peer] as const;
  await establish(world, host, peer);
  const steps = world.between(20, 90);
  for (let step = 0; step < steps; step += 1) {
    doSomething(world, pair, world.pick(sides));
    await clock.advance(world.pick([0, 0, 0, 1, 10, 100]));
    for (const { name, session, maxQueuedBytes } of sides) {
      if ((session?.queuedBytes ?? 0) > maxQueuedBytes + limits.maxFrameBytes)
        world.ledger.violate(`${session?.queuedBytes} bytes are queued at ${name}`);
    }
  }
  await end(world, pair, host, peer);
  checkNothingIsLeft(world, sides);
  world.ledger.audit();
  const outcomes = new Map<string, number>();
  for (const { outcome } of world.ledger.entries) outcomes.set(outcome?.code ?? 'none', (outcomes.get(outcome?.code ?? 'none') ?? 0) + 1);
  return { seed, violations: world.ledger.violations, traceHash: world.traceHash(), outcomes, messages, end: host.ends[0]?.code ?? 'none' };
}

function createSide(world: World, name: 'host' | 'peer', pair: MemoryPair, onMessage: () => void): Side {
  const tap = new WireTap(pair[name === 'host' ? 0 : 1], {
    onWire(direction, message, bytes) {
      if (direction === 'out') onMessage();
      world.trace(`${name} ${direction === 'out' ? '→' : '←'} ${describe(message)} (${bytes} bytes)`);
    },
    violate: (what) => world.ledger.violate(`${name}: ${what}`),
  });
  const maxQueuedBytes = world.pick([30_000, 200_000, 1_000_000]);
  const connection = new MessageConnection({ connection: tap, clock: world.clock, codec, limits, maxQueuedBytes }, noReceiver);
  const side: Side = {
    name,
    maxQueuedBytes,
    connection,
    tap,
    actor: new Actor(world, name, () => side.session as Session),
    session: undefined,
    ends: [],
  };
  return side;
}

function describe(message: Message): string {
  const id = 'id' in message ? ` ${message.id}` : '';
  const detail = message.kind === 'credit' ? ` ${message.bytes}` : message.kind === 'ack' ? ` ${message.count}` : '';
  return `${message.kind}${id}${detail}${'error' in message && message.error !== undefined ? ` ${message.error.code}` : ''}`;
}

async function establish(world: World, host: Side, peer: Side): Promise<void> {
  const { clock } = world;
  const makeSession = (side: Side) => (): Session => {
    const explains = side.name === 'host' && world.chance(0.5);
    const maxIncomingCalls = world.pick([3, 8, 20]);
    side.session = new Session({
      connection: side.connection,
      clock,
      side: side.name,
      maxIncomingCalls,
      maxOutgoingCalls: 14,
      debug: false,
      handlers: {
        onRequest: (call) => void handle(world, call, (parent) => side.actor.call(parent)),
        onOneWay: () => (world.chance(0.5) ? undefined : world.delay(world.between(0, 40))),
        onOneWayCredit() {
          side.actor.waitsForOneWayCredit = false;
        },
        onDrain: () => world.trace(`${side.name} was told to drain`),
        onViolation: (error) => world.ledger.violate(`${side.name} records: ${error.message}`),
        ...(explains ? { explainLoss: () => world.delay(world.between(0, 50)).then(() => Promise.reject(new Error('unknown'))) } : {}),
        onEnd(sessionEnd) {
          world.trace(`${side.name} session ends: ${sessionEnd.code} (${sessionEnd.message})`);
          side.ends.push(sessionEnd);
        },
      },
    });
    return side.session;
  };
  const { maxFrameBytes } = limits;
  await Promise.all([
    acceptHandshake({
      connection: host.connection,
      clock,
      admit: () => ({ ...admitted, limits: { ...admitted.limits, maxFrameBytes } }),
      establish: makeSession(host),
    }),
    performHandshake({ connection: peer.connection, clock, hello, establish: makeSession(peer) }),
  ]);
}

function doSomething(world: World, pair: MemoryPair, side: Side): void {
  const session = side.session as Session;
  const line = world.pick(pair.faults);
  const dice = world.fraction();
  if (dice < 0.4) return void side.actor.call().catch(() => {});
  if (dice < 0.55) return side.actor.stream();
  if (dice < 0.62) return side.actor.notify();
  if (dice < 0.72) return side.actor.changeMind();
  if (dice < 0.75) return void session.ping();
  if (dice < 0.78) line.delay(world.pick([0, 20, { minMs: 0, maxMs: 150 }]));
  else if (dice < 0.82) line.split(world.pick([30, 300, 3_000, Number.POSITIVE_INFINITY]));
  else if (dice < 0.85) line.merge(world.chance(0.5));
  else if (dice < 0.9) line.stall(world.pick([0, 3, 1_000]));
  else if (dice < 0.985) line.resume();
  else if (dice < 0.99) session.drain(1_000, 'simulated');
  else crash(world, pair, side);
}

/** One of the ways in which a session ends early. */
function crash(world: World, pair: MemoryPair, side: Side): void {
  const line = pair.faults[side.name === 'host' ? 0 : 1];
  const way = world.pick(['cut', 'cut short', 'half-close', 'abort', 'close'] as const);
  world.trace(`${side.name} ends by ${way}`);
  if (way === 'cut') line.cut();
  else if (way === 'cut short') line.cut({ deliverBytes: world.between(0, 2_000) });
  else if (way === 'half-close') line.end();
  else if (way === 'abort') side.session?.abort('crashed');
  else side.session?.close('STOPPED', 'closed early');
}

/** Ends the session: in order after a drain, or by a crash in the middle of everything; then lets all that is left happen. */
async function end(world: World, pair: MemoryPair, host: Side, peer: Side): Promise<void> {
  const { clock } = world;
  const inOrder = world.chance(0.5);
  if (inOrder || world.chance(0.5)) for (const line of pair.faults) line.resume();
  if (inOrder) {
    world.trace('the run ends in order');
    host.session?.drain(5_000, 'the run is over');
    await clock.advance(20_000);
    const alive = host.ends.length === 0 && peer.ends.length === 0 && host.session?.end === undefined;
    if (alive) checkProgress(world, host, peer);
    host.session?.close('STOPPED', 'the run is over');
    await clock.advance(5_000);
    if (alive && peer.ends[0]?.goodbye !== true) world.ledger.violate(`the goodbye did not arrive: ${peer.ends[0]?.code}`);
  } else crash(world, pair, world.pick([host, peer]));
  await clock.advance(200);
  for (const line of pair.faults) line.resume();
  host.session?.abort('over');
  // Enough for the connection to close, and less than the longest time limits of calls.
  await clock.advance(2_200);
  if (clock.pendingTimers > world.pendingDelays) world.ledger.violate(`${clock.pendingTimers - world.pendingDelays} timers outlive the sessions`);
  await clock.runUntilIdle({ limitMs: 120_000 }).catch((error: unknown) => world.ledger.violate(String(error)));
}

/** While the session still lives, and everything has had the time to end: it must have. */
function checkProgress(world: World, host: Side, peer: Side): void {
  world.ledger.checkProgress();
  for (const [side, caller] of [
    [host, peer],
    [peer, host],
  ] as const) {
    checkAnswers(world, side.name, side.tap, caller);
    if (side.actor.waitsForOneWayCredit) world.ledger.violate(`${side.name} was never told that one-way messages may be sent again`);
  }
}

/** While the session still lives: what is unanswered is what is in flight, and the caller knows it. */
function checkAnswers(world: World, name: string, tap: WireTap, caller: Side): void {
  const inFlight = caller.session?.callsInFlight ?? 0;
  if (tap.unanswered.length > inFlight)
    world.ledger.violate(`${name} owes ${tap.unanswered.length} answers, but only ${inFlight} calls are in flight`);
}

function checkNothingIsLeft(world: World, sides: readonly Side[]): void {
  const { ledger, clock } = world;
  if (clock.pendingTimers > 0) ledger.violate(`${clock.pendingTimers} timers are left`);
  if (world.running > 0) ledger.violate(`${world.running} handlers are still running`);
  for (const { name, session, actor, ends, connection } of sides) {
    if (session === undefined) continue;
    const counts = {
      callsInFlight: session.callsInFlight,
      incoming: session.incomingCallsInFlight,
      running: session.runningHandlers,
      work: actor.pendingWork,
    };
    for (const [what, count] of Object.entries(counts)) if (count !== 0) ledger.violate(`${name}: ${what} is ${count} at the end`);
    if (ends.length !== 1) ledger.violate(`${name}: the session ended ${ends.length} times`);
    if (ends[0]?.code === 'PROTOCOL_ERROR' || ends[0]?.code === 'INTERNAL_ERROR') ledger.violate(`${name}: ${ends[0].code}: ${ends[0].message}`);
    if (!connection.ended) ledger.violate(`${name}: the connection has not ended`);
  }
}
