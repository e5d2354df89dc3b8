import { makeChunk, payload } from './payload.mjs';

/** @typedef {import('./peer.mjs').RunningPeer} RunningPeer */

/** Calls per second with 64 in flight. @param {RunningPeer} peer @param {number} durationMs */
async function calls(peer, durationMs) {
  const begin = performance.now();
  const until = begin + durationMs;
  let made = 0;
  const lane = async () => {
    while (performance.now() < until) {
      await peer.call(payload);
      made += 1;
    }
  };
  await Promise.all(Array.from({ length: 64 }, lane));
  return (made * 1_000) / (performance.now() - begin);
}

/** Median microseconds of a call with one in flight. @param {RunningPeer} peer @param {number} durationMs */
async function latency(peer, durationMs) {
  const samples = [];
  const until = performance.now() + durationMs;
  for (let begin = performance.now(); begin < until; ) {
    await peer.call(payload);
    const end = performance.now();
    samples.push((end - begin) * 1_000);
    begin = end;
  }
  return samples.sort((left, right) => left - right)[samples.length >> 1];
}

/** Megabytes per second, both ways counted, with eight echoes of 64 KiB in flight. @param {RunningPeer} peer @param {number} durationMs */
async function binary(peer, durationMs) {
  const begin = performance.now();
  const until = begin + durationMs;
  let bytes = 0;
  const lane = async () => {
    // What comes back goes out again: a peer that hands buffers over has none to spare.
    let chunk = makeChunk();
    while (performance.now() < until) {
      const length = chunk.byteLength;
      chunk = await peer.binary(chunk);
      if (chunk.byteLength !== length) throw new Error(`The echo of ${length} bytes has ${chunk.byteLength}.`);
      bytes += 2 * length;
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  return bytes / 1_000 / (performance.now() - begin);
}

/** Megabytes per second of items of 64 KiB, one way, bounded by credit. @param {RunningPeer} peer @param {number} durationMs */
async function stream(peer, durationMs) {
  const begin = performance.now();
  const until = begin + durationMs;
  let end = begin;
  const bytes = await peer.stream(() => {
    end = performance.now();
    return end >= until;
  });
  return bytes / 1_000 / (end - begin);
}

const eventsAtOnce = 256;
/** What may be under way: less than a queue of the topic bus takes before it drops. */
const eventsUnderWay = 1_024;

/** One-way messages per second, as counted by the receiver. @param {RunningPeer} peer @param {number} durationMs */
async function events(peer, durationMs) {
  const before = await peer.received();
  const begin = performance.now();
  const until = begin + durationMs;
  let sent = 0;
  let arrived = 0;
  let questions = 0;
  const ask = async () => {
    questions += 1;
    arrived = Math.max(arrived, (await peer.received()) - before);
    questions -= 1;
  };
  while (performance.now() < until) {
    for (let count = 0; count < eventsAtOnce; count++) void peer.publish(payload);
    sent += eventsAtOnce;
    const answer = ask();
    if (sent - arrived >= eventsUnderWay || questions >= eventsUnderWay / eventsAtOnce) await answer;
  }
  for (let last = -1; arrived < sent && arrived > last; ) {
    last = arrived;
    await ask();
  }
  const took = performance.now() - begin;
  return (arrived * 1_000) / took;
}

/** Milliseconds to a first reply: of a process or thread that is started for it, or of a further connection to one that runs. @param {RunningPeer} peer */
async function start(peer, _durationMs, open) {
  if (peer.firstReply !== undefined) return peer.firstReply();
  const begin = performance.now();
  const fresh = await open();
  try {
    await fresh.call(payload);
    return performance.now() - begin;
  } finally {
    await fresh.stop();
  }
}

/** @type {Readonly<Record<string, (peer: RunningPeer, durationMs: number, open: () => Promise<RunningPeer>) => Promise<number>>>} */
export const workloads = { calls, latency, binary, stream, events, start };

/** Which of them a peer can do. @param {RunningPeer} peer */
export function workloadsOf(peer) {
  return ['calls', 'latency', 'start']
    .concat(peer.binary === undefined ? [] : ['binary'])
    .concat(peer.stream === undefined ? [] : ['stream'])
    .concat(peer.publish === undefined ? [] : ['events']);
}
