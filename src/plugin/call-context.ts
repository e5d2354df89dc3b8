import type { IncomingCall } from '../session/incoming-call.js';
import type { Context } from './context.js';
import type { HostLink } from './host-link.js';
import type { RegisteredHandler } from './plugin.js';
import { SessionContext } from './session-context.js';
import { validatedItems } from './validated-items.js';

/** The context of a handler: that of one call. */
export class CallContext extends SessionContext implements Context {
  /** The error with which an input item was refused, to tell it from others when the handler fails with it. */
  refusedInput: unknown;
  readonly #call: IncomingCall;
  readonly #handler: RegisteredHandler;

  constructor(link: HostLink, call: IncomingCall, handler: RegisteredHandler) {
    super(link);
    this.#call = call;
    this.#handler = handler;
  }

  protected override get parent(): IncomingCall {
    return this.#call;
  }

  override get signal(): AbortSignal {
    return this.#call.signal;
  }
  get cancelled(): boolean {
    return this.#call.cancelled;
  }
  get deadline(): Date | undefined {
    const { deadlineAt } = this.#call;
    const { clock } = this.link;
    return deadlineAt === Number.POSITIVE_INFINITY ? undefined : new Date(clock.wallTime() + deadlineAt - clock.now());
  }
  get remainingMs(): number {
    return Math.max(0, this.#call.deadlineAt - this.link.clock.now());
  }
  get progress(): Context['progress'] {
    return (fraction, message, data) => this.#call.progress(fraction, message, data);
  }
  get items(): AsyncIterable<unknown> {
    const { input, ofInput } = this.#handler;
    if (input === undefined) return this.#call.items;
    return validatedItems(this.#call.items, {
      schema: input,
      subject: ofInput,
      give: 'validated',
      onRefusal: (error) => {
        this.refusedInput = error;
      },
    });
  }
  get idempotencyKey(): string | undefined {
    return this.#call.idempotencyKey;
  }
  get actingFor(): string | undefined {
    return this.#call.actingFor;
  }
  get transfer(): Context['transfer'] {
    return (data) => {
      this.#call.handOver([data.buffer]);
      return data;
    };
  }
}
