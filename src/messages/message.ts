import type { WireError } from '../errors/wire-error.js';

/** Every kind of message that version 1 of the protocol knows, by its number on the wire (docs/protocol.md, section 3). */
export const messageKinds = {
  request: 0,
  response: 1,
  oneWay: 2,
  hello: 3,
  welcome: 4,
  reject: 5,
  cancel: 6,
  progress: 7,
  item: 8,
  end: 9,
  credit: 10,
  ping: 11,
  pong: 12,
  drain: 13,
  goodbye: 14,
  ack: 15,
} as const;

/** The name of a message kind. */
export type MessageKind = keyof typeof messageKinds;

/** Bit of `RequestMessage.flags`: the caller sends items. */
export const flagCallerStreams = 1;
/** Bit of `RequestMessage.flags`: the caller expects items. */
export const flagCalleeStreams = 2;

/** Kind 0: a call. Sections 3 and 5 of docs/protocol.md give the rules of each field here. */
export interface RequestMessage {
  readonly kind: 'request';
  readonly id: number;
  readonly method: string;
  readonly params?: unknown;
  readonly flags?: number | undefined;
  /** Milliseconds that remain. */
  readonly deadlineMs?: number | undefined;
  readonly traceparent?: string | undefined;
  readonly parentId?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly actingFor?: string | undefined;
}
/** Kind 1: the one answer to a request. With `error` the call failed, and a result beside it is ignored. */
export interface ResponseMessage {
  readonly kind: 'response';
  readonly id: number;
  readonly error?: WireError | undefined;
  readonly result?: unknown;
}
/** Kind 2: nobody answers it. It uses the credit of the session's window 0. */
export interface OneWayMessage {
  readonly kind: 'oneWay';
  readonly method: string;
  readonly params?: unknown;
  readonly traceparent?: string | undefined;
}
/** Kind 6: the caller no longer waits. The callee answers all the same. */
export interface CancelMessage {
  readonly kind: 'cancel';
  readonly id: number;
  readonly reason?: string | undefined;
}
/** Kind 7: how far the callee is; `fraction` 0 to 1. */
export interface ProgressMessage {
  readonly kind: 'progress';
  readonly id: number;
  readonly fraction?: number | undefined;
  readonly message?: string | undefined;
  readonly data?: unknown;
}
/** Kind 8: an item of a stream, in either direction. Its frame uses credit. */
export interface ItemMessage {
  readonly kind: 'item';
  readonly id: number;
  readonly value: unknown;
}
/** Kind 9: no more items of this sender; with `error` because it failed. */
export interface EndMessage {
  readonly kind: 'end';
  readonly id: number;
  readonly error?: WireError | undefined;
}
/** Kind 10: so many more bytes may be sent; `id` 0 is the window of one-way messages. */
export interface CreditMessage {
  readonly kind: 'credit';
  readonly id: number;
  readonly bytes: number;
}
/** Kind 11: to be answered with a pong of the same nonce, whatever the handlers do. */
export interface PingMessage {
  readonly kind: 'ping';
  readonly nonce: number;
}
/** Kind 12: the answer to a ping. */
export interface PongMessage {
  readonly kind: 'pong';
  readonly nonce: number;
}
/** Kind 13: its sender takes no new calls; those in flight have `graceMs` milliseconds. */
export interface DrainMessage {
  readonly kind: 'drain';
  readonly graceMs?: number | undefined;
  readonly reason?: string | undefined;
}
/** Kind 14: the last message of its sender, with the reason as a code. */
export interface GoodbyeMessage {
  readonly kind: 'goodbye';
  readonly code: string;
  readonly message?: string | undefined;
}
/** Kind 15: how many messages were received since the session began, but for ping, pong and ack. */
export interface AckMessage {
  readonly kind: 'ack';
  readonly count: number;
}

/** What a worker or controller says first. */
export interface HelloFields {
  readonly versions: readonly number[];
  readonly role: 'worker' | 'controller';
  readonly plugin?: { readonly id: string; readonly version: string } | undefined;
  readonly manifestDigest?: string | undefined;
  /** The manifest itself, YAML or JSON, from a worker that dials in and brings it. */
  readonly manifest?: string | undefined;
  readonly sdk: { readonly name: string; readonly version: string; readonly language: string };
  readonly features: readonly string[];
  readonly requiredFeatures: readonly string[];
  readonly token?: string | undefined;
  readonly resume?: { readonly session: string; readonly token: string; readonly received: number } | undefined;
}
/** A grant as the worker sees it. */
export interface WireGrant {
  /** Dotted name, as `network.http`. */
  readonly capability: string;
  /** For each field of the capability the patterns that are granted. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** ISO 8601 time. */
  readonly expiresAt?: string | undefined;
}
/** What the host answers. */
export interface WelcomeFields {
  readonly version: number;
  readonly session: string;
  readonly generation: number;
  readonly plugin: { readonly id: string; readonly version: string };
  readonly features: readonly string[];
  readonly grants: readonly WireGrant[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly secretConfigKeys: readonly string[];
  readonly limits: { readonly maxFrameBytes: number; readonly maxDepth: number; readonly maxElements: number; readonly maxConcurrency: number };
  readonly heartbeatMs: number;
  readonly debug: boolean;
  readonly resume?: { readonly token: string; readonly windowMs: number; readonly maxBytes: number } | undefined;
  readonly resumed?: { readonly received: number } | undefined;
}

/** Kind 3: the first message of whoever dialled or was launched. */
export interface HelloMessage {
  readonly kind: 'hello';
  readonly fields: HelloFields;
}
/** Kind 4: the host's answer to a hello that it accepts. */
export interface WelcomeMessage {
  readonly kind: 'welcome';
  readonly fields: WelcomeFields;
}
/** Kind 5: the host's answer to a hello that it refuses; it closes then. */
export interface RejectMessage {
  readonly kind: 'reject';
  readonly code: string;
  readonly message: string;
  readonly supported?: { readonly versions: readonly number[]; readonly features: readonly string[] } | undefined;
}

/** Every message of the protocol. */
export type Message =
  | RequestMessage
  | ResponseMessage
  | OneWayMessage
  | HelloMessage
  | WelcomeMessage
  | RejectMessage
  | CancelMessage
  | ProgressMessage
  | ItemMessage
  | EndMessage
  | CreditMessage
  | PingMessage
  | PongMessage
  | DrainMessage
  | GoodbyeMessage
  | AckMessage;
