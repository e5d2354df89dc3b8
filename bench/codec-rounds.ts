// The measuring half of codec.ts, which bundles it: never run it under a loader.
import { Packr } from 'msgpackr';
import { FrameDecoder } from '../src/frames/frame-decoder.js';
import { FrameWriter } from '../src/frames/frame-writer.js';
import { defaultFrameLimits as limits } from '../src/frames/limits.js';
import { msgpackrCodec, type ValueCodec } from '../src/messages/codec.js';
import { decodeMessagePieces } from '../src/messages/decode-message.js';
import { encodeMessageInto } from '../src/messages/encode-message.js';
import { type Message, messageKinds } from '../src/messages/message.js';
import { strictCodec } from '../src/messages/strict-codec/strict-codec.js';

const rounds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 9);
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice(7);
/** Each round of each variant takes about this long. */
const roundMs = 40;

const person = { id: 123_456, name: 'Ada Lovelace', email: 'ada@example.org', roles: ['admin', 'author'], active: true, score: 0.87 };
const messages: Record<string, Message> = {
  'request, 100 bytes': { kind: 'request', id: 1_234, method: 'summarize', params: { text: 'x'.repeat(80), n: 3 }, flags: 0, deadlineMs: 30_000 },
  'response, 100 bytes': { kind: 'response', id: 1_234, result: { summary: 'y'.repeat(80), n: 3 } },
  'request, one record': { kind: 'request', id: 1_234, method: 'users.update', params: person, deadlineMs: 29_999 },
  'response, 20 records': { kind: 'response', id: 1_234, result: { users: Array.from({ length: 20 }, (_, index) => ({ ...person, id: index })) } },
  'item, 40 characters': { kind: 'item', id: 1_234, value: 'a token of text, about forty characters.' },
  'item, umlauts': { kind: 'item', id: 1_234, value: 'größer als der Überbau – und für alle 🌍' },
  'one-way, event': {
    kind: 'oneWay',
    method: 'events.deliver',
    params: {
      id: 'evt_01J9ZC2',
      topic: 'mail.received',
      source: 'mail',
      timestamp: '2026-05-01T10:00:00.000Z',
      payload: { from: 'a@example.org', size: 3 },
    },
  },
  'request, text of 8 KiB': { kind: 'request', id: 1_234, method: 'summarize', params: { text: 'lorem ipsum '.repeat(700) } },
  'item, 64 KiB binary': { kind: 'item', id: 1_234, value: new Uint8Array(65_536).fill(7) },
  'item, 1,536 floats': { kind: 'item', id: 1_234, value: Array.from({ length: 1_536 }, (_, index) => Math.sin(index)) },
};

/** One way to send and receive: each call handles `count` messages. */
interface Variant {
  encode(message: Message, count: number): Uint8Array[];
  decode(chunks: Uint8Array[]): number;
}

function ours(codec: ValueCodec): Variant {
  const writer = new FrameWriter();
  const decoder = new FrameDecoder(limits.maxFrameBytes);
  const isTransferred = () => true;
  return {
    encode(message, count) {
      for (let index = 0; index < count; index += 1) encodeMessageInto(writer, message, codec, limits, isTransferred);
      return writer.take();
    },
    decode(chunks) {
      let decoded = 0;
      for (const chunk of chunks) {
        decoder.pushPieces(chunk, (bytes, start, end, _bodyBytes, inserts) => {
          if (decodeMessagePieces(bytes, start, end, inserts, codec, limits) !== undefined) decoded += 1;
          return true;
        });
      }
      return decoded;
    },
  };
}

/** What a hand-written protocol without any check does. */
function plain(): Variant {
  const packr = new Packr({ useRecords: false, variableMapSize: true, encodeUndefinedAsNil: true });
  return {
    encode(message, count) {
      const chunks: Uint8Array[] = [];
      for (let index = 0; index < count; index += 1) {
        const body = packr.encode(elementsOf(message));
        const header = Buffer.allocUnsafe(4);
        header.writeUInt32BE(body.length);
        chunks.push(header, body);
      }
      return [Buffer.concat(chunks)];
    },
    decode(chunks) {
      let decoded = 0;
      for (const chunk of chunks as Buffer[]) {
        for (let at = 0; at < chunk.length; ) {
          const end = at + 4 + chunk.readUInt32BE(at);
          if (packr.decode(chunk.subarray(at + 4, end)) !== undefined) decoded += 1;
          at = end;
        }
      }
      return decoded;
    },
  };
}

function elementsOf(message: Message): unknown[] {
  switch (message.kind) {
    case 'request':
      return [messageKinds.request, message.id, message.method, message.params, message.flags, message.deadlineMs];
    case 'response':
      return [messageKinds.response, message.id, null, message.result];
    case 'oneWay':
      return [messageKinds.oneWay, message.method, message.params];
    case 'item':
      return [messageKinds.item, message.id, message.value];
    default:
      throw new Error(`There is no plain form of ${message.kind}.`);
  }
}

const variants: Record<string, Variant> = {
  strict: ours(strictCodec()),
  'strict, portable': ours(strictCodec({ portable: true })),
  'msgpackr, checked': ours(msgpackrCodec()),
  'msgpackr, plain': plain(),
};
const names = Object.keys(variants);

console.log(`${'encode / decode / both, ns'.padEnd(26)}${names.map((name) => name.padStart(28)).join('')}`);
for (const [label, message] of Object.entries(messages)) {
  if (only !== undefined && !label.includes(only)) continue;
  const samples = new Map(names.map((name) => [name, { encode: [] as number[], decode: [] as number[] }]));
  const batch = 16;
  // What arrives is one chunk, as a socket reads it.
  const arrived = new Map(names.map((name) => [name, [Buffer.concat((variants[name] as Variant).encode(message, batch))]]));
  for (let round = -3; round < rounds; round += 1) {
    for (const name of names) {
      const variant = variants[name] as Variant;
      const chunks = arrived.get(name) as Buffer[];
      const encode = measure(batch, () => variant.encode(message, batch).length);
      const decode = measure(batch, () => variant.decode(chunks));
      if (round < 0) continue;
      samples.get(name)?.encode.push(encode);
      samples.get(name)?.decode.push(decode);
    }
  }
  const reference = total(samples.get('msgpackr, plain'));
  const columns = names.map((name) => {
    const sample = samples.get(name);
    const text = `${median(sample?.encode).toFixed(0)} / ${median(sample?.decode).toFixed(0)} / ${total(sample).toFixed(0)}`;
    return `${text} ×${(reference / total(sample)).toFixed(2)}`.padStart(28);
  });
  console.log(label.padEnd(26) + columns.join(''));
}

/** Nanoseconds of processor time for one message; others on the machine take none of it. */
function measure(batch: number, run: () => number): number {
  const begin = performance.now();
  const before = process.cpuUsage();
  let runs = 0;
  let sink = 0;
  while (performance.now() - begin < roundMs) {
    for (let index = 0; index < 8; index += 1) sink += run();
    runs += 8;
  }
  if (sink === 0) throw new Error('Nothing was done.');
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1e3) / (runs * batch);
}

function median(samples: number[] | undefined): number {
  const sorted = [...(samples ?? [])].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function total(sample: { encode: number[]; decode: number[] } | undefined): number {
  return median(sample?.encode) + median(sample?.decode);
}
