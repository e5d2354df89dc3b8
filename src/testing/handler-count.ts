import type { Plugin, RegisteredHandler } from '../plugin/plugin.js';

/** A plugin whose running handlers are counted, so that a test can be told of those that never end. */
export class HandlerCount {
  readonly plugin: Plugin;
  readonly #running = new Map<string, number>();

  constructor(plugin: Plugin) {
    this.plugin = { ...plugin, handlers: new Map([...plugin.handlers].map(([name, handler]) => [name, this.#counted(handler)])) };
  }

  /** Names of the methods and streams whose handlers have begun and not ended, each as often as it runs. */
  get running(): readonly string[] {
    return [...this.#running].flatMap(([name, count]) => Array.from({ length: count }, () => name));
  }

  #counted(handler: RegisteredHandler): RegisteredHandler {
    const add = (change: 1 | -1): void => {
      this.#running.set(handler.wireName, (this.#running.get(handler.wireName) ?? 0) + change);
    };
    return {
      ...handler,
      run(params, ctx) {
        const outcome = handler.run(params, ctx);
        if (isAsyncGenerator(outcome)) return countWhileOpen(outcome, add);
        if (!isPromise(outcome)) return outcome;
        add(1);
        const end = (): void => add(-1);
        outcome.then(end, end);
        return outcome;
      },
    };
  }
}

async function* countWhileOpen(
  items: AsyncGenerator<unknown, unknown, unknown>,
  add: (change: 1 | -1) => void,
): AsyncGenerator<unknown, unknown, unknown> {
  add(1);
  try {
    return yield* items;
  } finally {
    add(-1);
  }
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
