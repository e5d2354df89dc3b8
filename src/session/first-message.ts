import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { FrameWriter } from '../frames/frame-writer.js';
import { defaultFrameLimits, handshakeFrameBytes } from '../frames/limits.js';
import type { Connection } from '../interfaces/transport.js';
import type { ValueCodec } from '../messages/codec.js';
import { decodeMessage } from '../messages/decode-message.js';
import { encodeMessage } from '../messages/encode-message.js';
import type { Message } from '../messages/message.js';

const handshakeLimits = { ...defaultFrameLimits, maxFrameBytes: handshakeFrameBytes };

/** Sends a message of the handshake on a connection that carries no session yet. @throws INVALID_VALUE, FRAME_TOO_LARGE */
export function sendFirstMessage(connection: Connection, message: Message, codec: ValueCodec): void {
  const writer = new FrameWriter();
  writer.append(encodeMessage(message, codec, handshakeLimits));
  connection.send(writer.take());
}

/** Reads a message of the handshake. @throws PROTOCOL_ERROR */
export function readFirstMessage(body: Uint8Array, codec: ValueCodec): Message {
  const message = decodeMessage(body, codec, handshakeLimits);
  if (message === undefined) throw new WorkerRuntimeError('PROTOCOL_ERROR', 'The first message is of an unknown kind.');
  return message;
}
