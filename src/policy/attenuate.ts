import type { CapabilityCatalogue, Scope } from '../capabilities/capability.js';
import { intersectScopes } from '../capabilities/scope-algebra.js';
import { expiryOf, type Grant } from './grant.js';

/** What grants are narrowed to. */
export interface Narrower {
  /** The one whose grants it leaves. */
  readonly capability: string;
  /** What it leaves of them, in normal form and complete. */
  readonly scope: Scope;
  /** ISO 8601 time. */
  readonly expiresAt?: string;
}

/**
 * The part of `grants` that `narrower` leaves: what is attempted under the result is covered by a grant **and** by an
 * entry of `narrower`, never by more. Each result keeps the id of its grant (so several may have the same one) and
 * expires with the earlier of the two. Capabilities that `narrower` does not name are left out, as are those that the
 * catalogue does not know.
 */
export function attenuate(grants: readonly Grant[], narrower: readonly Narrower[], catalogue: CapabilityCatalogue): readonly Grant[] {
  return grants.flatMap((grant) => {
    const capability = catalogue.get(grant.capability);
    if (capability === undefined) return [];
    return narrower.flatMap((limit) => {
      const scope = limit.capability === grant.capability ? intersectScopes(capability, grant.scope, limit.scope) : undefined;
      return scope === undefined ? [] : [{ ...grant, scope, ...earlierExpiry(grant, limit) }];
    });
  });
}

function earlierExpiry(grant: Grant, limit: Narrower): { expiresAt?: string } {
  if (limit.expiresAt === undefined) return {};
  return expiryOf({ ...grant, expiresAt: limit.expiresAt }) < expiryOf(grant) ? { expiresAt: limit.expiresAt } : {};
}
