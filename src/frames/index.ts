export { FrameDecoder, type FrameReceiver } from './frame-decoder.js';
export { defaultFrameLimits, type FrameLimits, handshakeFrameBytes, maxSupportedDepth } from './limits.js';
