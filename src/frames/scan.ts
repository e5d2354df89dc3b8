import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { type FrameLimits, maxSupportedDepth } from './limits.js';
import { isTimestampAt } from './timestamp.js';
import { findInvalidUtf8 } from './utf8.js';

/** Result of {@link scanValue}: there is binary data in the value. */
export const foundBinary = 1;
/** Result of {@link scanValue}: a string begins with U+FEFF, which some decoders take for a byte order mark and drop. */
export const foundLeadingMark = 2;

/** Strings from this length on are checked by the function that is made for them. */
const longString = 48;

/**
 * The containers around the one that is being read: for each, twice the values that it still expects, plus 1 for a map.
 * Scratch space of one scan, written before it is read; it is here so that a scan allocates nothing.
 */
const enclosing = new Int32Array(maxSupportedDepth);

/**
 * Checks that `body` is exactly one MessagePack value that keeps every rule of docs/protocol.md, section 2, so that a
 * decoder may then trust it. Never recurses, never allocates for what a length announces, and says where the fault is
 * without quoting the payload.
 * @returns what a decoder may want to know: the sum of {@link foundBinary} and {@link foundLeadingMark}, as they apply.
 * @throws PROTOCOL_ERROR with `details: { offset }`.
 */
export function scanValue(body: Uint8Array, limits: FrameLimits): number {
  const end = body.length;
  const maxElements = limits.maxElements;
  const maxDepth = Math.min(limits.maxDepth, maxSupportedDepth);
  let position = 0;
  let depth = 0;
  let elements = 1;
  let expected = 1;
  let inMap = false;
  let found = 0;
  for (;;) {
    while (expected === 0) {
      if (depth === 0) {
        if (position !== end) refuseValue('bytes follow the value', position);
        return found;
      }
      depth -= 1;
      const outer = enclosing[depth] as number;
      expected = outer >> 1;
      inMap = (outer & 1) === 1;
    }
    if (position >= end) refuseValue('the value is cut short', end);
    const at = position;
    const token = body[position] as number;
    position += 1;
    expected -= 1;
    const isKey = inMap && (expected & 1) === 1;

    let length: number;
    if (token >= 0xa0 && token < 0xc0) {
      length = token - 0xa0;
    } else if (token >= 0xd9 && token <= 0xdb) {
      const width = 1 << (token - 0xd9);
      length = readUint(body, position, width, end);
      position += width;
    } else {
      if (isKey) refuseValue('map keys must be strings', at);
      if (token < 0x80 || token >= 0xe0) continue;
      if (token < 0xa0 || token >= 0xdc) {
        // An array or a map.
        const isMap = token < 0x90 || token >= 0xde;
        let count: number;
        if (token < 0xa0) {
          count = token & 0x0f;
        } else {
          const width = (token & 1) === 0 ? 2 : 4;
          count = readUint(body, position, width, end);
          position += width;
        }
        if (isMap) {
          if (count > limits.maxMapEntries) refuseValue(`a map has more than ${limits.maxMapEntries} entries`, at);
          count *= 2;
        }
        elements += count;
        if (elements > maxElements) refuseValue(`there are more than ${maxElements} elements`, at);
        if (depth >= maxDepth) refuseValue(`the nesting is deeper than ${maxDepth}`, at);
        if (count === 0) continue;
        enclosing[depth] = (expected << 1) | (inMap ? 1 : 0);
        depth += 1;
        expected = count;
        inMap = isMap;
        continue;
      }
      if (token >= 0xc4 && token <= 0xc6) found |= foundBinary;
      position = skipOther(body, position, token, end);
      continue;
    }

    // A string.
    const stop = position + length;
    if (stop > end) refuseValue('a string is cut short', at);
    if (isKey && length === 9 && isProtoKey(body, position)) refuseValue('the map key __proto__ is not allowed', at);
    if (length < longString) {
      let bits = 0;
      for (let index = position; index < stop; index += 1) bits |= body[index] as number;
      if (bits < 0x80) {
        position = stop;
        continue;
      }
    }
    const bad = findInvalidUtf8(body, position, stop);
    if (bad >= 0) refuseValue('a string is not valid UTF-8', bad);
    if (length > 2 && body[position] === 0xef && body[position + 1] === 0xbb && body[position + 2] === 0xbf) found |= foundLeadingMark;
    position = stop;
  }
}

/** Passes over what follows the token of a value that is no string, array, map or small integer. */
function skipOther(body: Uint8Array, position: number, token: number, end: number): number {
  let next: number;
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return position;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      next = position + 1;
      break;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      next = position + 2;
      break;
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      next = position + 4;
      break;
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      next = position + 8;
      break;
    case 0xc4: // bin 8
      next = position + 1 + readUint(body, position, 1, end);
      break;
    case 0xc5: // bin 16
      next = position + 2 + readUint(body, position, 2, end);
      break;
    case 0xc6: // bin 32
      next = position + 4 + readUint(body, position, 4, end);
      break;
    case 0xd6: // fixext 4
    case 0xd7: // fixext 8
    case 0xc7: // ext 8
      next = skipTimestamp(body, position, token, end);
      break;
    case 0xc1:
      return refuseValue('the byte 0xc1 is not allowed', position - 1);
    default: // ext 16, ext 32, fixext 1, 2, 16
      return refuseValue('only the timestamp extension is allowed', position - 1);
  }
  if (next > end) refuseValue('a value is cut short', position - 1);
  return next;
}

/** A timestamp: fixext 4, fixext 8 or ext 8 of 12 bytes, type −1, as the MessagePack specification has it. */
function skipTimestamp(body: Uint8Array, position: number, token: number, end: number): number {
  let start = position;
  let size = token === 0xd6 ? 4 : 8;
  if (token === 0xc7) {
    size = readUint(body, position, 1, end);
    start += 1;
    if (size !== 12) refuseValue('only the timestamp extension is allowed', position - 1);
  }
  if (start + 1 + size > end) refuseValue('a value is cut short', position - 1);
  if (body[start] !== 0xff) refuseValue('only the timestamp extension is allowed', position - 1);
  if (!isTimestampAt(body, start + 1, size)) refuseValue('a timestamp is out of range', position - 1);
  return start + 1 + size;
}

function readUint(body: Uint8Array, position: number, width: number, end: number): number {
  if (position + width > end) refuseValue('the value is cut short', end);
  let value = 0;
  for (let index = 0; index < width; index += 1) value = value * 256 + (body[position + index] as number);
  return value;
}

const protoKey = [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f];

function isProtoKey(body: Uint8Array, position: number): boolean {
  for (let index = 0; index < protoKey.length; index += 1) {
    if (body[position + index] !== protoKey[index]) return false;
  }
  return true;
}

/**
 * Refuses a value, by the rule that it breaks and where, without quoting it.
 * @throws PROTOCOL_ERROR with `details: { offset }`, always.
 */
export function refuseValue(rule: string, offset: number): never {
  throw new WorkerRuntimeError('PROTOCOL_ERROR', `The frame is not acceptable: ${rule}, at byte ${offset} of its body.`, { details: { offset } });
}
