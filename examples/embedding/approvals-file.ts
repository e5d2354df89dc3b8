import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type Grant, type GrantStore, WorkerRuntimeError } from '@synapse/worker-runtime';

/** Approvals in a file of one host. Whoever can write it can grant anything: keep it where plugins cannot. */
export function approvalsFile(path: string): GrantStore {
  let grants = read(path);
  function save(next: readonly Grant[]): void {
    const text = JSON.stringify(next, null, 2);
    // Aside and then in one step: a crash leaves the old file or the new one, never half of it.
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    grants = JSON.parse(text) as readonly Grant[];
  }
  return {
    async list({ pluginId } = {}) {
      return grants.filter((grant) => pluginId === undefined || grant.pluginId === pluginId);
    },
    async add(added) {
      const taken = added.find(({ id }) => grants.some((grant) => grant.id === id));
      if (taken !== undefined) throw new WorkerRuntimeError('INVALID_ARGUMENT', `There is already a grant of the id ${taken.id}.`);
      save([...grants, ...added]);
    },
    async remove(ids) {
      const removed = grants.filter(({ id }) => ids.includes(id));
      if (removed.length > 0) save(grants.filter((grant) => !removed.includes(grant)));
      return removed;
    },
  };
}

/** Without a file there are no approvals. One that cannot be read stops the host: what was taken back must not come to life again. */
function read(path: string): readonly Grant[] {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as readonly Grant[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
