export { FrameDecoder } from './frame-decoder.js';
export { defaultFrameLimits, type FrameLimits, handshakeFrameBytes } from './limits.js';
