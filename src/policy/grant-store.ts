import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Grant } from './grant.js';

/**
 * Where approvals are kept. Grants that a policy rule gave are not stored: they follow from the policy at every start,
 * so that a rule that was taken back takes its grants with it.
 */
export interface GrantStore {
  /** The grants of one plugin, or all; in any order. */
  list(filter?: { readonly pluginId?: string }): Promise<readonly Grant[]>;
  /**
   * Adds grants, all or none.
   * @throws INVALID_ARGUMENT if one of the ids is taken: a grant never changes, it is revoked and given anew.
   */
  add(grants: readonly Grant[]): Promise<void>;
  /** Removes grants and returns those that were there. Unknown ids are ignored, so that a revoke can be repeated. */
  remove(ids: readonly string[]): Promise<readonly Grant[]>;
}

/** A grant store that forgets everything when the process ends. */
export function memoryGrantStore(): GrantStore {
  const byId = new Map<string, Grant>();
  return {
    async list(filter = {}) {
      const { pluginId } = filter;
      return [...byId.values()].filter((grant) => pluginId === undefined || grant.pluginId === pluginId);
    },
    async add(grants) {
      const ids = new Set(grants.map((grant) => grant.id));
      const taken = grants.find((grant) => byId.has(grant.id));
      if (taken !== undefined || ids.size !== grants.length) {
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `There is already a grant of the id ${taken?.id ?? 'of another one that is added'}.`);
      }
      // A copy, so that nobody widens a grant by changing the object that was handed in.
      for (const grant of grants) byId.set(grant.id, deepFreeze(grant));
    },
    async remove(ids) {
      return ids.flatMap((id) => {
        const grant = byId.get(id);
        byId.delete(id);
        return grant === undefined ? [] : [grant];
      });
    },
  };
}

function deepFreeze(grant: Grant): Grant {
  const scope = Object.fromEntries(Object.entries(grant.scope).map(([field, patterns]) => [field, Object.freeze([...patterns])]));
  return Object.freeze({ ...grant, scope: Object.freeze(scope) });
}
