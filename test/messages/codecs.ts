import { msgpackrCodec, type ValueCodec } from '../../src/messages/codec.js';
import { strictCodec } from '../../src/messages/strict-codec/strict-codec.js';

/** Every codec that must behave the same: our own with the platform's text methods and without them, and msgpackr as the reference. */
export const codecs: readonly (readonly [string, ValueCodec])[] = [
  ['strict', strictCodec()],
  ['strict, portable', strictCodec({ portable: true })],
  ['msgpackr', msgpackrCodec()],
];
