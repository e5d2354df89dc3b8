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
export interface ResponseMessage {
  readonly kind: 'response';
  readonly id: number;
  readonly error?: WireError | undefined;
  readonly result?: unknown;
}
export interface OneWayMessage {
  readonly kind: 'oneWay';
  readonly method: string;
  readonly params?: unknown;
  readonly traceparent?: string | undefined;
}
export interface CancelMessage {
  readonly kind: 'cancel';
  readonly id: number;
  readonly reason?: string | undefined;
}
export interface ProgressMessage {
  readonly kind: 'progress';
  readonly id: number;
  readonly fraction?: number | undefined;
  readonly message?: string | undefined;
  readonly data?: unknown;
}
export interface ItemMessage {
  readonly kind: 'item';
  readonly id: number;
  readonly value: unknown;
}
export interface EndMessage {
  readonly kind: 'end';
  readonly id: number;
  readonly error?: WireError | undefined;
}
export interface CreditMessage {
  readonly kind: 'credit';
  readonly id: number;
  readonly bytes: number;
}
export interface PingMessage {
  readonly kind: 'ping';
  readonly nonce: number;
}
export interface PongMessage {
  readonly kind: 'pong';
  readonly nonce: number;
}
export interface DrainMessage {
  readonly kind: 'drain';
  readonly graceMs?: number | undefined;
  readonly reason?: string | undefined;
}
export interface GoodbyeMessage {
  readonly kind: 'goodbye';
  readonly code: string;
  readonly message?: string | undefined;
}
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
  readonly sdk: { readonly name: string; readonly version: string; readonly language: string };
  readonly features: readonly string[];
  readonly requiredFeatures: readonly string[];
  readonly token?: string | undefined;
  readonly resume?: { readonly session: string; readonly token: string; readonly received: number } | undefined;
}
/** A grant as the worker sees it. */
export interface WireGrant {
  readonly capability: string;
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

export interface HelloMessage {
  readonly kind: 'hello';
  readonly fields: HelloFields;
}
export interface WelcomeMessage {
  readonly kind: 'welcome';
  readonly fields: WelcomeFields;
}
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
