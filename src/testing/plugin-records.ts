import type { Scope } from '../capabilities/capability.js';
import type { ServiceMethod } from '../services/define-service.js';

/**
 * Stands in for a method of the host. A function answers in the place of the method, behind the same capability; where the host has no such method,
 * nothing is judged. A guarded or baseline method, as `defineMethod` makes it, brings its own capability.
 */
export type ServiceStub = ServiceMethod | ((params: never) => unknown);

/** A call of the plugin that was denied. */
export interface Denial {
  /** Dotted name of the capability that it lacked. */
  readonly capability: string;
  /** The part of the scope that was missing. */
  readonly scope: Scope;
  /** The method of the host. */
  readonly method: string;
}

/** A line that the plugin logged. */
export interface LoggedLine {
  /** How grave the plugin finds it. */
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** As it arrived at the host: values of secret configuration are `[secret]` in it. */
  readonly message: string;
  /** Facts beside the message; empty where there are none. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** An event that the plugin published. */
export interface PublishedEvent {
  /** The topic that it was published to. */
  readonly topic: string;
  /** What was sent along, as it arrived at the host. */
  readonly payload: unknown;
  /** What the plugin gave, to find what belongs together. */
  readonly correlationId: string | undefined;
}

/** A step that the plugin reported. */
export interface ReportedProgress {
  /** The method or stream that reported it. */
  readonly method: string;
  /** 0 to 1, or undefined where the plugin cannot tell. */
  readonly fraction: number | undefined;
  /** A sentence for a person, where the plugin gave one. */
  readonly message: string | undefined;
  /** What it sent along for a program. */
  readonly data: unknown;
}
