import type { WireError } from '../errors/wire-error.js';
import { isWorkerRuntimeError, WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { FrameWriter } from '../frames/frame-writer.js';
import type { FrameLimits } from '../frames/limits.js';
import { checkValue, frameTooLarge } from './check-value.js';
import type { ValueCodec } from './codec.js';
import {
  isMethod,
  maxCreditBytes,
  maxFlags,
  maxInteger,
  maxKeyBytes,
  maxMethodBytes,
  maxStackBytes,
  maxTextBytes,
  maxTraceparentBytes,
} from './field-limits.js';
import { type ItemMessage, type Message, messageKinds, type OneWayMessage, type RequestMessage, type ResponseMessage } from './message.js';
import { readHello, readWelcome } from './read-handshake.js';
import { fitsBytes, fitText, isWellFormed } from './text.js';

/**
 * Encodes a message to the body of a frame. Whatever the receiver would refuse is refused here, before anything is
 * sent. Sentences for people (reasons, messages, stacks) are cut to their limit instead; durations are rounded up to
 * milliseconds, and an infinite one is left out. An error is always sendable: details that cannot be sent, or that make
 * the frame too large, are replaced by `{ detailsOmitted: "why" }`.
 * @throws INVALID_VALUE with `details: { path }`; FRAME_TOO_LARGE with `details: { limit, size }`.
 */
export function encodeMessage(message: Message, codec: ValueCodec, limits: FrameLimits): Uint8Array {
  const body = encodeElements(message, codec, limits);
  if (body.length <= limits.maxFrameBytes) return body;
  const tooLarge = frameTooLarge(body.length, limits.maxFrameBytes);
  if ((message.kind !== 'response' && message.kind !== 'end') || message.error?.details === undefined) throw tooLarge;
  const shorter = encodeElements({ ...message, error: { ...message.error, details: omission(tooLarge) } }, codec, limits);
  if (shorter.length <= limits.maxFrameBytes) return shorter;
  throw tooLarge;
}

/**
 * Encodes a message and adds its frame to a batch; with a codec that can, straight into the batch.
 * @param isTransferred see {@link ValueCodec.encodeInto}.
 * @returns the size of the frame's body, which {@link FrameWriter.lastBody} has if the frame is kept.
 * @throws what {@link encodeMessage} throws; the batch is as it was then.
 */
export function encodeMessageInto(
  frames: FrameWriter,
  message: Message,
  codec: ValueCodec,
  limits: FrameLimits,
  isTransferred?: (bytes: Uint8Array) => boolean,
): number {
  if (codec.encodeInto !== undefined) {
    switch (message.kind) {
      case 'request':
        return codec.encodeInto(frames, requestElements(message), 'params', limits, isTransferred);
      case 'response':
        if (message.error !== undefined) break;
        return codec.encodeInto(frames, responseElements(message), 'result', limits, isTransferred);
      case 'oneWay':
        return codec.encodeInto(frames, oneWayElements(message), 'params', limits, isTransferred);
      case 'item':
        return codec.encodeInto(frames, itemElements(message), 'value', limits, isTransferred);
      default:
    }
  }
  const body = encodeMessage(message, codec, limits);
  frames.append(body);
  return body.length;
}

function requestElements(message: RequestMessage): unknown[] {
  return trim([
    messageKinds.request,
    integer(message.id, 'id'),
    method(message.method),
    message.params,
    optional(message.flags, 'flags', maxFlags),
    duration(message.deadlineMs, 'deadlineMs'),
    text(message.traceparent, 'traceparent', 0, maxTraceparentBytes),
    optional(message.parentId, 'parentId', maxInteger),
    text(message.idempotencyKey, 'idempotencyKey', 1, maxKeyBytes),
    text(message.actingFor, 'actingFor', 1, maxKeyBytes),
  ]);
}

function responseElements(message: ResponseMessage): unknown[] {
  return trim([messageKinds.response, integer(message.id, 'id'), undefined, message.result]);
}

function oneWayElements(message: OneWayMessage): unknown[] {
  return trim([messageKinds.oneWay, method(message.method), message.params, text(message.traceparent, 'traceparent', 0, maxTraceparentBytes)]);
}

function itemElements(message: ItemMessage): unknown[] {
  return trim([messageKinds.item, integer(message.id, 'id'), message.value]);
}

function encodeElements(message: Message, codec: ValueCodec, limits: FrameLimits): Uint8Array {
  switch (message.kind) {
    case 'request':
      return encodeChecked(requestElements(message), message.params, 'params', codec, limits);
    case 'response':
      if (message.error !== undefined) {
        return codec.encode([messageKinds.response, integer(message.id, 'id'), errorFields(message.error, limits)]);
      }
      return encodeChecked(responseElements(message), message.result, 'result', codec, limits);
    case 'oneWay':
      return encodeChecked(oneWayElements(message), message.params, 'params', codec, limits);
    case 'item':
      return encodeChecked(itemElements(message), message.value, 'value', codec, limits);
    case 'progress': {
      const { fraction } = message;
      if (fraction !== undefined && !(fraction >= 0 && fraction <= 1)) throw invalid('fraction', 'it must be a number from 0 to 1.');
      const elements = trim([messageKinds.progress, integer(message.id, 'id'), fraction, sentence(message.message), message.data]);
      return encodeChecked(elements, message.data, 'data', codec, limits);
    }
    case 'end':
      return codec.encode(
        trim([messageKinds.end, integer(message.id, 'id'), message.error === undefined ? undefined : errorFields(message.error, limits)]),
      );
    case 'cancel':
      return codec.encode(trim([messageKinds.cancel, integer(message.id, 'id'), sentence(message.reason)]));
    case 'credit':
      if (message.bytes === 0) throw invalid('bytes', 'a grant of credit has at least 1 byte.');
      return codec.encode([messageKinds.credit, integer(message.id, 'id'), integer(message.bytes, 'bytes', maxCreditBytes)]);
    case 'ping':
    case 'pong':
      return codec.encode([messageKinds[message.kind], integer(message.nonce, 'nonce')]);
    case 'ack':
      return codec.encode([messageKinds.ack, integer(message.count, 'count')]);
    case 'drain':
      return codec.encode(trim([messageKinds.drain, duration(message.graceMs, 'graceMs'), sentence(message.reason)]));
    case 'goodbye':
      return codec.encode(trim([messageKinds.goodbye, sentence(message.code), sentence(message.message)]));
    case 'reject': {
      const supported = message.supported === undefined ? undefined : { versions: message.supported.versions, features: message.supported.features };
      checkValue(supported, 'supported', 1, 4, limits);
      return codec.encode(trim([messageKinds.reject, sentence(message.code), sentence(message.message), supported]));
    }
    case 'hello':
    case 'welcome': {
      const fields = withoutAbsent(message.fields);
      assertReadable(message.kind, fields);
      checkValue(fields, message.kind, 1, 2, limits);
      return codec.encode([messageKinds[message.kind], fields]);
    }
  }
}

function encodeChecked(elements: unknown[], value: unknown, name: string, codec: ValueCodec, limits: FrameLimits): Uint8Array {
  if (codec.encodeElements !== undefined) return codec.encodeElements(elements, name, limits);
  checkValue(value, name, 1, elements.length, limits);
  return codec.encode(elements);
}

/** Leaves out what is absent at the end. */
function trim(elements: unknown[]): unknown[] {
  while (elements[elements.length - 1] === undefined || elements[elements.length - 1] === null) elements.pop();
  return elements;
}

/** The map of an error, in the order of the specification. */
function errorFields(error: WireError, limits: FrameLimits): object {
  const fields: Record<string, unknown> = { code: fitText(error.code, maxKeyBytes), message: fitText(error.message, maxTextBytes) };
  if (error.retryable !== undefined) fields.retryable = error.retryable;
  if (error.mayHaveRun !== undefined) fields.mayHaveRun = error.mayHaveRun;
  if (error.details !== undefined) fields.details = sendableDetails(error.details, limits);
  if (error.handlerCode !== undefined) fields.handlerCode = fitText(error.handlerCode, maxKeyBytes);
  if (error.stack !== undefined) fields.stack = fitText(error.stack, maxStackBytes);
  return fields;
}

/** At most this many elements are in the frame of an error beside its details: the message, its 3 elements, 7 entries. */
const elementsBesideDetails = 18;

function sendableDetails(details: Readonly<Record<string, unknown>>, limits: FrameLimits): Readonly<Record<string, unknown>> {
  try {
    checkValue(details, 'details', 2, elementsBesideDetails, limits);
    return details;
  } catch (error) {
    if (!isWorkerRuntimeError(error)) throw error;
    return omission(error);
  }
}

function omission(why: WorkerRuntimeError): Readonly<Record<string, unknown>> {
  return { detailsOmitted: fitText(why.message, maxTextBytes) };
}

/** Has the receiver's own code judge the fields of the handshake. */
function assertReadable(kind: 'hello' | 'welcome', fields: Record<string, unknown>): void {
  try {
    if (kind === 'hello') readHello(fields);
    else readWelcome(fields);
  } catch (error) {
    if (isWorkerRuntimeError(error, 'PROTOCOL_ERROR')) throw invalid(`${kind}.${String(error.details.field)}`, error.message);
    throw error;
  }
}

/** A map without the members that are absent. */
function withoutAbsent(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function method(name: string): string {
  if (isMethod(name)) return name;
  throw invalid('method', `a method has 1 to ${maxMethodBytes} characters of A-Z, a-z, 0-9 and _ . / -, the first a letter or _.`);
}

function integer(value: number, field: string, largest = maxInteger): number {
  if (Number.isInteger(value) && value >= 0 && value <= largest) return value;
  throw invalid(field, `it must be an integer from 0 to ${largest}.`);
}

function optional(value: number | undefined, field: string, largest: number): number | undefined {
  return value === undefined ? undefined : integer(value, field, largest);
}

function duration(value: number | undefined, field: string): number | undefined {
  return value === undefined || value === Number.POSITIVE_INFINITY ? undefined : integer(Math.ceil(value), field);
}

function text(value: string | undefined, field: string, least: number, most: number): string | undefined {
  if (value === undefined) return undefined;
  if (value.length >= least && isWellFormed(value) && fitsBytes(value, most)) return value;
  throw invalid(field, `it must be a string of ${least} to ${most} bytes.`);
}

function sentence(value: string | undefined): string | undefined {
  return value === undefined ? undefined : fitText(value, maxTextBytes);
}

function invalid(field: string, complaint: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_VALUE', `${field} cannot be sent: ${complaint}`, { details: { path: field } });
}
