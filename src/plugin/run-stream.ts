import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { IncomingCall } from '../session/incoming-call.js';
import type { PluginLog } from './context.js';
import type { RegisteredHandler } from './plugin.js';
import { validate } from './validate.js';

/** Items after which other work gets its turn: a generator that never waits would keep pings and cancels from being read. */
const itemsPerTurn = 64;

/** What a stream is run with. */
export interface RunStreamOptions {
  readonly log: PluginLog;
  readonly clock: Clock;
  /** What the caller is told of an error that the generator threw. */
  explain(thrown: unknown): unknown;
}

/**
 * Sends what a stream's generator yields, no faster than the caller reads, and returns its result. When the caller leaves, the generator is
 * left at its `yield`, so that its `finally` blocks run; the promise settles only when they have.
 */
export async function runStream(handler: RegisteredHandler, call: IncomingCall, outcome: unknown, options: RunStreamOptions): Promise<unknown> {
  const generator = generatorOf(handler, outcome);
  let leaving: Promise<void> | undefined;
  const leave = (): Promise<void> => {
    leaving ??= (async () => {
      try {
        await generator.return?.(undefined);
      } catch (error) {
        options.log.error({ err: error, method: handler.wireName }, `"${handler.wireName}" failed while it was left.`);
      }
    })();
    return leaving;
  };
  // At once, also while an item is awaited: a native generator notes it for its next `yield`, others may stop waiting.
  call.onCancel(() => void leave());
  try {
    for (let sent = 1; ; sent++) {
      const step = await nextOf(generator, options);
      if (step.done === true) {
        // Left because of a cancel: then this is not the result.
        await leaving;
        return step.value;
      }
      if (call.cancelled) {
        await leave();
        return undefined;
      }
      if (handler.item !== undefined) {
        const checked = validate(handler.item, step.value, handler.ofItem);
        if (checked instanceof Promise) await checked;
      }
      const held = call.sendItem(step.value);
      if (held !== undefined) await held;
      else if (sent % itemsPerTurn === 0) await new Promise<void>((resolve) => options.clock.endOfTurn(resolve));
    }
  } catch (error) {
    await leave();
    throw error;
  }
}

async function nextOf(generator: AsyncIterator<unknown, unknown, undefined>, options: RunStreamOptions): Promise<IteratorResult<unknown, unknown>> {
  try {
    return await generator.next();
  } catch (error) {
    throw options.explain(error);
  }
}

function generatorOf(handler: RegisteredHandler, outcome: unknown): AsyncIterator<unknown, unknown, undefined> {
  if (typeof outcome === 'object' && outcome !== null) {
    const iterable = outcome as Partial<AsyncIterable<unknown> & AsyncIterator<unknown>>;
    if (typeof iterable.next === 'function') return outcome as AsyncIterator<unknown, unknown, undefined>;
    if (typeof iterable[Symbol.asyncIterator] === 'function') {
      return (outcome as AsyncIterable<unknown>)[Symbol.asyncIterator]() as AsyncIterator<unknown, unknown, undefined>;
    }
  }
  throw new WorkerRuntimeError(
    'INVALID_RESULT',
    `The handler of the stream "${handler.wireName}" must be an async generator: async *${handler.wireName}(params, ctx) { … }.`,
  );
}
