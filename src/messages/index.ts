export { msgpackrCodec, type ValueCodec } from './codec.js';
export type { WireGrant } from './message.js';
