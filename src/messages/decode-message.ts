import type { WireError } from '../errors/wire-error.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type Insert, joinInserts } from '../frames/insert.js';
import type { FrameLimits } from '../frames/limits.js';
import type { ValueCodec } from './codec.js';
import { firstIgnoredKind, isMethod, maxCreditBytes, maxFlags, maxKeyBytes, maxTraceparentBytes } from './field-limits.js';
import { type Message, type MessageKind, messageKinds } from './message.js';
import {
  member,
  readInteger,
  readMap,
  readOptionalBoolean,
  readOptionalInteger,
  readOptionalMap,
  readOptionalString,
  readString,
  refuseField,
} from './read-field.js';
import { readHello, readSupported, readWelcome } from './read-handshake.js';

/**
 * Decodes the body of a frame to a message whose every field has the type and the range of docs/protocol.md, section 3.
 * Params, results, items and other free values keep the rules of section 2, no more. Absent and nil fields are
 * undefined; only the value of an item is null then. Extra elements and unknown members are dropped, and so is a result
 * beside an error.
 * @returns undefined for a kind that a receiver ignores (64 and above).
 * @throws PROTOCOL_ERROR: for the value format with `details: { offset }`, for the message with `details: { kind, field }`.
 */
export function decodeMessage(body: Uint8Array, codec: ValueCodec, limits: FrameLimits): Message | undefined {
  return readMessage(codec.decode(body, limits));
}

/** The same for the body `bytes[start…end)`. */
function decodeMessagePart(bytes: Uint8Array, start: number, end: number, codec: ValueCodec, limits: FrameLimits): Message | undefined {
  if (codec.decodePart === undefined) return decodeMessage(bytes.subarray(start, end), codec, limits);
  return readMessage(codec.decodePart(bytes, start, end, limits));
}

/** The same for the body that is `bytes[start…end)` with the inserts, if there are any; these are given away ({@link ValueCodec.decodePieces}). */
export function decodeMessagePieces(
  bytes: Uint8Array,
  start: number,
  end: number,
  inserts: readonly Insert[] | undefined,
  codec: ValueCodec,
  limits: FrameLimits,
): Message | undefined {
  if (inserts === undefined) return decodeMessagePart(bytes, start, end, codec, limits);
  if (codec.decodePieces === undefined) return decodeMessage(joinInserts(bytes, start, end, inserts), codec, limits);
  return readMessage(codec.decodePieces(bytes, start, end, inserts, limits));
}

function readMessage(elements: unknown): Message | undefined {
  if (!Array.isArray(elements)) throw new WorkerRuntimeError('PROTOCOL_ERROR', 'The message is not acceptable: it must be an array.');
  const values: readonly unknown[] = elements;
  const kind = values[0];
  switch (kind) {
    case messageKinds.request:
      return {
        kind: 'request',
        id: readInteger('request', 'id', values[1]),
        method: readMethod('request', values[2]),
        params: present(values[3]),
        flags: readOptionalInteger('request', 'flags', values[4], maxFlags),
        deadlineMs: readOptionalInteger('request', 'deadlineMs', values[5]),
        traceparent: readOptionalString('request', 'traceparent', values[6], 0, maxTraceparentBytes),
        parentId: readOptionalInteger('request', 'parentId', values[7]),
        idempotencyKey: readOptionalString('request', 'idempotencyKey', values[8], 1, maxKeyBytes),
        actingFor: readOptionalString('request', 'actingFor', values[9], 1, maxKeyBytes),
      };
    case messageKinds.response: {
      const error = readError('response', values[2]);
      return { kind: 'response', id: readInteger('response', 'id', values[1]), error, result: error === undefined ? present(values[3]) : undefined };
    }
    case messageKinds.oneWay:
      return {
        kind: 'oneWay',
        method: readMethod('oneWay', values[1]),
        params: present(values[2]),
        traceparent: readOptionalString('oneWay', 'traceparent', values[3], 0, maxTraceparentBytes),
      };
    case messageKinds.hello:
      return { kind: 'hello', fields: readHello(values[1]) };
    case messageKinds.welcome:
      return { kind: 'welcome', fields: readWelcome(values[1]) };
    case messageKinds.reject:
      return {
        kind: 'reject',
        code: readString('reject', 'code', values[1]),
        message: readString('reject', 'message', values[2]),
        supported: readSupported(values[3]),
      };
    case messageKinds.cancel:
      return { kind: 'cancel', id: readInteger('cancel', 'id', values[1]), reason: readOptionalString('cancel', 'reason', values[2]) };
    case messageKinds.progress:
      return {
        kind: 'progress',
        id: readInteger('progress', 'id', values[1]),
        fraction: readFraction(values[2]),
        message: readOptionalString('progress', 'message', values[3]),
        data: present(values[4]),
      };
    case messageKinds.item:
      return { kind: 'item', id: readInteger('item', 'id', values[1]), value: values[2] ?? null };
    case messageKinds.end:
      return { kind: 'end', id: readInteger('end', 'id', values[1]), error: readError('end', values[2]) };
    case messageKinds.credit:
      return { kind: 'credit', id: readInteger('credit', 'id', values[1]), bytes: readInteger('credit', 'bytes', values[2], 1, maxCreditBytes) };
    case messageKinds.ping:
      return { kind: 'ping', nonce: readInteger('ping', 'nonce', values[1]) };
    case messageKinds.pong:
      return { kind: 'pong', nonce: readInteger('pong', 'nonce', values[1]) };
    case messageKinds.drain:
      return { kind: 'drain', graceMs: readOptionalInteger('drain', 'graceMs', values[1]), reason: readOptionalString('drain', 'reason', values[2]) };
    case messageKinds.goodbye:
      return { kind: 'goodbye', code: readString('goodbye', 'code', values[1]), message: readOptionalString('goodbye', 'message', values[2]) };
    case messageKinds.ack:
      return { kind: 'ack', count: readInteger('ack', 'count', values[1]) };
    default:
      return ignoreKind(kind);
  }
}

/** @throws PROTOCOL_ERROR unless the kind is an integer from 64 on. */
function ignoreKind(kind: unknown): undefined {
  if (typeof kind === 'bigint' ? kind > 0n : Number.isInteger(kind) && (kind as number) >= firstIgnoredKind) return undefined;
  const found =
    typeof kind === 'number' || typeof kind === 'bigint' ? `the kind ${kind} is unknown` : 'its first element must be an integer, the kind';
  throw new WorkerRuntimeError('PROTOCOL_ERROR', `The message is not acceptable: ${found}.`, { details: { field: 'kind' } });
}

/** A free value at the top of a message: nil means that it is absent. */
function present(value: unknown): unknown {
  return value === null ? undefined : value;
}

function readMethod(kind: MessageKind, value: unknown): string {
  return typeof value === 'string' && isMethod(value) ? value : refuseField(kind, 'method', '1 to 256 bytes of [A-Za-z_][A-Za-z0-9_./-]*');
}

function readFraction(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && value >= 0 && value <= 1 ? value + 0 : refuseField('progress', 'fraction', 'a number from 0 to 1');
}

/** An error's members have the right types; their lengths are the reader's business, since a frame bounds them. */
function readError(kind: 'response' | 'end', value: unknown): WireError | undefined {
  const map = readOptionalMap(kind, 'error', value);
  if (map === undefined) return undefined;
  const unlimited = Number.POSITIVE_INFINITY;
  const retryable = readOptionalBoolean(kind, 'error.retryable', member(map, 'retryable'));
  const mayHaveRun = readOptionalBoolean(kind, 'error.mayHaveRun', member(map, 'mayHaveRun'));
  const details = member(map, 'details') ?? undefined;
  const handlerCode = readOptionalString(kind, 'error.handlerCode', member(map, 'handlerCode'), 0, unlimited);
  const stack = readOptionalString(kind, 'error.stack', member(map, 'stack'), 0, unlimited);
  return {
    code: readString(kind, 'error.code', member(map, 'code'), 0, unlimited),
    message: readString(kind, 'error.message', member(map, 'message'), 0, unlimited),
    ...(retryable === undefined ? {} : { retryable }),
    ...(mayHaveRun === undefined ? {} : { mayHaveRun }),
    ...(details === undefined ? {} : { details: readMap(kind, 'error.details', details) }),
    ...(handlerCode === undefined ? {} : { handlerCode }),
    ...(stack === undefined ? {} : { stack }),
  };
}
