/**
 * A Web Stream of the items of an async iterable, a stream of calls above all. An item is asked for when the reader wants one, so that the
 * credit of the stream, not the memory, holds back what the reader has no time for. Cancelling it leaves the iteration, which cancels the call.
 *
 * Source: https://streams.spec.whatwg.org/ (pull sources; a high-water mark of 0 reads nothing ahead).
 */
export function toReadableStream<Item>(items: AsyncIterable<Item>): ReadableStream<Item> {
  let iterator: AsyncIterator<Item> | undefined;
  return new ReadableStream<Item>(
    {
      async pull(controller) {
        iterator ??= items[Symbol.asyncIterator]();
        const next = await iterator.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        iterator ??= items[Symbol.asyncIterator]();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The chunks of a Web Stream as an async iterable, for the input of a call or the items of a handler. It can be iterated once; leaving the loop cancels
 * the stream. A chunk is read when it is asked for.
 */
export function fromReadableStream<Chunk>(stream: ReadableStream<Chunk>): AsyncIterableIterator<Chunk> {
  const reader = stream.getReader();
  let over = false;
  const end = (): IteratorResult<Chunk, undefined> => {
    if (!over) reader.releaseLock();
    over = true;
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (over) return end();
      const { done, value } = await reader.read();
      return done ? end() : { done: false, value: value as Chunk };
    },
    async return() {
      if (!over) await reader.cancel('The reader does not need more.');
      return end();
    },
  };
}
