import type { Reason } from '../../src/errors/reason.js';
import type { Plugin } from '../../src/host/plugin.js';
import { msgpackrCodec } from '../../src/messages/codec.js';

const codec = msgpackrCodec();

/** Bodies as frames, whatever they hold. */
export function framed(...bodies: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    bodies.flatMap((body) => {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(body.length);
      return [head, body];
    }),
  );
}

/** Frames of messages, each given as its positional elements. */
export function frames(...messages: readonly (readonly unknown[])[]): Uint8Array {
  return framed(...messages.map((message) => Uint8Array.from(codec.encode(message))));
}

/** Stands for the id of the call in which the worker sends the bytes (`say_only`). */
export const thisCall = 0xffff_ffff;

/** What the host answered to a request of the worker. */
export interface HostAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly details?: Readonly<Record<string, unknown>> } | null;
  readonly result: unknown;
}

/** Makes the worker ask something of the host. @param extra flags, deadlineMs, traceparent, parentId, idempotencyKey, actingFor. */
export function ask(plugin: Plugin, method: string, params?: unknown, extra: readonly unknown[] = []): Promise<HostAnswer> {
  return plugin.call('ask', { method, params, extra }) as Promise<HostAnswer>;
}

/** One-way messages and late ones that the worker has got so far. */
export async function arrived(plugin: Plugin, method: string): Promise<readonly unknown[]> {
  const messages = (await plugin.call('arrived')) as readonly (readonly unknown[])[];
  return messages.filter(([kind, name]) => kind === 2 && name === method).map(([, , params]) => params);
}

/** An error of this library, as tests look at it. */
export type Rejection = Error & { readonly code?: string; readonly mayHaveRun?: boolean; readonly reason?: Reason };

/** The error of a promise that must reject. */
export function rejection(promise: Promise<unknown>): Promise<Rejection> {
  return promise.then(
    (value) => Promise.reject(new Error(`It resolved: ${JSON.stringify(value)?.slice(0, 200)}`)),
    (error: Rejection) => error,
  );
}
