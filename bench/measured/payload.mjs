/** About 100 bytes of MessagePack: what a small call carries. */
export const payload = {
  id: 'a3f1c2d4-0000-4000-8000-1234567890ab',
  user: 'someone@example.com',
  tags: ['one', 'two'],
  count: 42,
  ratio: 0.25,
  active: true,
};

/** Size of what `binary` echoes and of an item of `stream`. */
export const chunkBytes = 64 * 1024;

/** Bytes that no encoder can shorten; the same in every process. */
export function makeChunk() {
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0, value = 1; at < chunkBytes; at++) {
    value = (value * 48_271) % 2_147_483_647;
    chunk[at] = value;
  }
  return chunk;
}
