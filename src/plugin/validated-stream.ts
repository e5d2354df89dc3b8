import type { StreamContract } from './contract.js';
import type { ContractStream } from './contract-types.js';
import type { StandardSchema } from './standard-schema.js';
import { type Subject, validate } from './validate.js';
import { validatedIterator } from './validated-items.js';

/**
 * A stream whose items and result are validated as they are read. One that does not fit ends the stream: the callee is told, and the
 * iteration and `result` fail with INVALID_RESULT.
 */
export class ValidatedStream implements ContractStream {
  readonly result: Promise<unknown>;
  readonly #inner: ContractStream;
  readonly #name: string;
  readonly #item: StandardSchema | undefined;
  readonly #itemSubject: Subject;
  #refusal: unknown;

  constructor(inner: ContractStream, name: string, contract: StreamContract) {
    this.#inner = inner;
    this.#name = name;
    this.#item = contract.item;
    this.#itemSubject = resultSubject(`An item of "${name}"`);
    const { result } = contract;
    const subject = resultSubject(`The result of "${name}"`);
    this.result = inner.result.then(
      (value) => {
        if (this.#refusal !== undefined) throw this.#refusal;
        return result === undefined ? value : validate(result, value, subject);
      },
      (error: unknown) => {
        throw this.#refusal ?? error;
      },
    );
    this.result.catch(() => {});
  }

  cancel(reason?: string): void {
    this.#inner.cancel(reason);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<unknown> {
    const items = this.#inner[Symbol.asyncIterator]();
    const item = this.#item;
    if (item === undefined) return items;
    return validatedIterator(items, {
      schema: item,
      subject: this.#itemSubject,
      give: 'validated',
      onRefusal: (error) => {
        this.#refusal = error;
        this.#inner.cancel(`An item of "${this.#name}" does not fit the contract.`);
      },
    });
  }
}

/** What the caller of a plugin says about a value that does not fit: the plugin is at fault. */
export function resultSubject(what: string): Subject {
  return { code: 'INVALID_RESULT', what, repair: 'The plugin does not keep to the contract; update one of the two.', mayHaveRun: true };
}
