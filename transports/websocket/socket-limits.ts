import type { WebSocketSettings } from './websocket-options.js';

/**
 * Pieces of a message, and reads of one, that are kept until it is complete: each costs memory beside its bytes. 16 MiB arrive in 4,096 fragments of 4 KiB, or
 * in 12,000 packets of an Ethernet.
 */
const maxFragments = 4_096;
const maxBufferedChunks = 16_384;
/** Answers to pings of a peer that does not read them. */
const maxPendingAutoPongs = 60;

/** The limits of every socket, on both sides. The package takes `closeTimeout` and `maxPendingAutoPongs` too, which its types do not know. */
export function socketLimits(settings: WebSocketSettings) {
  return {
    maxPayload: settings.maxMessageBytes,
    maxFragments,
    maxBufferedChunks,
    maxPendingAutoPongs,
    closeTimeout: settings.closeTimeoutMs,
    perMessageDeflate: settings.perMessageDeflate,
  };
}
