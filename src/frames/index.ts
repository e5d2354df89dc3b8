export { defaultFrameLimits, type FrameLimits, handshakeFrameBytes, maxSupportedDepth } from './limits.js';
