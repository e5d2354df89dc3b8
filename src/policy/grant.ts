import type { CapabilityRequest, Scope } from '../capabilities/capability.js';
import type { RuleReference } from './policy.js';

/** Whose grants are asked for: a plugin, in exactly the version that was approved. */
export interface GrantSubject {
  /** Id of its manifest. */
  readonly pluginId: string;
  /** SHA-256 of the manifest file's raw bytes, 64 lower-case hex digits. */
  readonly manifestDigest: string;
  /** SHA-256 of the plugin's content, where it is known. */
  readonly contentDigest?: string;
}

/** A capability that a plugin was given. */
export interface Grant extends GrantSubject {
  /** Unique; what `host.revoke` takes. */
  readonly id: string;
  /** Dotted name, as `network.http`. */
  readonly capability: string;
  /** In normal form and complete: a grant without one of the capability's fields grants nothing. */
  readonly scope: Scope;
  /** Who gave it: an operator's name, or `policy`. */
  readonly by: string;
  /** Why, in the words of who gave it. */
  readonly reason?: string;
  /** ISO 8601 time. */
  readonly grantedAt: string;
  /** ISO 8601 time from which on it grants nothing; absent = never. */
  readonly expiresAt?: string;
  /** The rule that gave it. */
  readonly rule?: RuleReference;
}

/** What turns a request into a grant. */
export type GrantDetails = Pick<Grant, 'id' | 'by' | 'reason' | 'grantedAt' | 'expiresAt' | 'rule'>;

/** The grant of what was requested, pinned to the subject. */
export function createGrant(request: Pick<CapabilityRequest, 'capability' | 'scope'>, subject: GrantSubject, details: GrantDetails): Grant {
  const { pluginId, manifestDigest, contentDigest } = subject;
  return {
    ...details,
    pluginId,
    manifestDigest,
    ...(contentDigest === undefined ? {} : { contentDigest }),
    capability: request.capability,
    scope: request.scope,
  };
}

/**
 * Whether a grant is pinned to this subject: same plugin, same manifest, and, where the grant names the content, same
 * content. Whatever changed since the approval has not been approved.
 */
export function isPinnedTo(grant: Grant, subject: GrantSubject): boolean {
  return (
    grant.pluginId === subject.pluginId &&
    grant.manifestDigest === subject.manifestDigest &&
    (grant.contentDigest === undefined || grant.contentDigest === subject.contentDigest)
  );
}

/** Until when a grant holds, in milliseconds since the epoch. A time that cannot be read has passed. */
export function expiryOf(grant: Grant): number {
  if (grant.expiresAt === undefined) return Number.POSITIVE_INFINITY;
  const time = Date.parse(grant.expiresAt);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}
