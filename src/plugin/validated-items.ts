import type { StandardSchema } from './standard-schema.js';
import { type Subject, validate } from './validate.js';

/** How items are validated on their way. */
export interface ValidatedItemsOptions {
  readonly schema: StandardSchema;
  readonly subject: Subject;
  /** What the reader gets: the item as it was given, or what comes out of the schema. */
  readonly give: 'given' | 'validated';
  /** An item does not fit; the iteration fails with the error. */
  onRefusal?(error: unknown): void;
}

/** The items of `source`, each found good before it is handed on. Leaving reaches the source at once, even while an item is awaited. */
export function validatedItems(source: AsyncIterable<unknown>, options: ValidatedItemsOptions): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => validatedIterator(source[Symbol.asyncIterator](), options) };
}

/** Like {@link validatedItems}, for an iteration that has begun. */
export function validatedIterator(source: AsyncIterator<unknown>, options: ValidatedItemsOptions): AsyncIterableIterator<unknown> {
  const { schema, subject, give, onRefusal } = options;
  return {
    async next() {
      const step = await source.next();
      if (step.done === true) return step;
      try {
        const value = await validate(schema, step.value, subject);
        return give === 'given' ? step : { done: false, value };
      } catch (error) {
        onRefusal?.(error);
        // What else has arrived is of the same sender: nobody reads it.
        void Promise.resolve(source.return?.()).catch(() => {});
        throw error;
      }
    },
    return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
