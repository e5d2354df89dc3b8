/** Chunks below this size are packed together; a larger one costs less as a piece of its own, which the receiver keeps uncopied. */
const packBelowBytes = 8_192;
/** A post with more pieces than this is refused: what a receiver does for a post must depend on its bytes, not on how many pieces they are cut into. */
export const maxPieces = 1_024;

/** What is handed to `postMessage`: byte pieces, each the whole of a buffer of its own, and the buffers, which all move to the other side. */
export interface PortPost {
  readonly pieces: Uint8Array[];
  readonly transfer: ArrayBuffer[];
  readonly bytes: number;
}

/**
 * Makes one post of the chunks of one send. Neighbouring small chunks are copied into one buffer: they are views of slabs that their sender goes on
 * writing to, and a structured clone would copy the whole slab for each. Large chunks are copied once, into a buffer that moves (a clone would
 * copy twice), or move themselves where they were handed over.
 *
 * @param handedOver buffers that the sender gives away; only chunks that are all of such a buffer move uncopied.
 */
export function makePost(chunks: readonly Uint8Array[], handedOver: readonly ArrayBuffer[] = []): PortPost {
  const post: PortPost & { bytes: number } = { pieces: [], transfer: [], bytes: 0 };
  let run: Uint8Array[] = [];
  let runBytes = 0;
  const add = (piece: Uint8Array): void => {
    post.pieces.push(piece);
    post.transfer.push(piece.buffer as ArrayBuffer);
    post.bytes += piece.length;
  };
  const endRun = (): void => {
    if (runBytes > 0) add(joined(run, runBytes));
    run = [];
    runBytes = 0;
  };
  for (const chunk of chunks) {
    if (chunk.length < packBelowBytes || post.pieces.length >= maxPieces - 2) {
      run.push(chunk);
      runBytes += chunk.length;
      continue;
    }
    endRun();
    add(mayMove(chunk, handedOver) && !post.transfer.includes(chunk.buffer as ArrayBuffer) ? chunk : joined([chunk], chunk.length));
  }
  endRun();
  return post;
}

/** The pieces of a post that arrived, or why it is none. The other side is code of a plugin and may post anything that can be cloned. */
export function readPost(post: unknown): readonly Uint8Array[] | string {
  if (!Array.isArray(post)) return 'what arrived is neither an array of byte pieces, nor a number, nor null';
  // Before it is looked into: an array may have a length of 2^32 and hardly an element.
  if (post.length === 0 || post.length > maxPieces) return `a post has 1 to ${maxPieces} pieces, not ${post.length}`;
  const pieces: Uint8Array[] = [];
  const buffers = new Set<ArrayBufferLike>();
  for (let index = 0; index < post.length; index += 1) {
    const piece: unknown = post[index];
    if (!(piece instanceof Uint8Array)) return 'a piece is no Uint8Array';
    // The other side could change shared memory after it was checked, and a buffer that can be resized does not promise its length.
    if (!(piece.buffer instanceof ArrayBuffer)) return 'the memory of a piece is shared';
    if (isResizable(piece.buffer)) return 'the memory of a piece can be resized';
    if (piece.length === 0) return 'a piece is empty';
    // What is made of one piece may be moved on, and would take the other with it.
    if (buffers.has(piece.buffer)) return 'two pieces share their memory';
    buffers.add(piece.buffer);
    // A small view must not keep a large buffer alive.
    pieces.push(piece.length === piece.buffer.byteLength ? piece : piece.slice());
  }
  return pieces;
}

function mayMove({ buffer, length }: Uint8Array, handedOver: readonly ArrayBuffer[]): boolean {
  return handedOver.includes(buffer as ArrayBuffer) && length === buffer.byteLength && !isResizable(buffer as ArrayBuffer);
}

function isResizable(buffer: ArrayBuffer & { readonly resizable?: boolean }): boolean {
  return buffer.resizable === true;
}

/** A copy in a buffer of exactly its size, which is not of Node's pool and so may move. */
function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes);
  let offset = 0;
  for (const chunk of chunks) {
    copy.set(chunk, offset);
    offset += chunk.length;
  }
  return copy;
}
