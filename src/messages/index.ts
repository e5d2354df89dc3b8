export { msgpackrCodec, type ValueCodec } from './codec.js';
export type { WireGrant } from './message.js';
export { type StrictCodecOptions, strictCodec } from './strict-codec/strict-codec.js';
