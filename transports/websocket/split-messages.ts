const headerBytes = 4;

/**
 * Splits a batch of whole frames into messages of whole frames: a new one begins with the first frame after `targetBytes`. So no message is larger than
 * that and one frame, however much a sender had gathered.
 */
export function splitMessages(chunks: readonly Uint8Array[], targetBytes: number): readonly (readonly Uint8Array[])[] {
  let total = 0;
  for (const chunk of chunks) total += chunk.length;
  if (total <= targetBytes) return total === 0 ? [] : [chunks];

  const messages: Uint8Array[][] = [];
  let message: Uint8Array[] = [];
  let messageBytes = 0;
  // Where the walk over the frames is: bytes of a header that were read, the length they say, bytes of the body that are still to come.
  let header = 0;
  let length = 0;
  let missing = 0;
  for (const chunk of chunks) {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (missing > 0) {
        const step = Math.min(missing, chunk.length - at);
        at += step;
        missing -= step;
      } else {
        length = length * 256 + chunk[at]!;
        at += 1;
        header += 1;
        if (header < headerBytes) continue;
        missing = length;
        header = 0;
        length = 0;
      }
      if (missing > 0 || messageBytes + at - start < targetBytes) continue;
      message.push(chunk.subarray(start, at));
      messages.push(message);
      message = [];
      messageBytes = 0;
      start = at;
    }
    if (start < at) message.push(chunk.subarray(start, at));
    messageBytes += at - start;
  }
  if (message.length > 0) messages.push(message);
  return messages;
}
