/** What a legacy permission becomes. */
export interface LegacyPermission {
  /** As it is written in a list; a map `section: { key: true }` is read as `section.key`. `<…>` stands for a value. */
  readonly permission: string;
  /** The capability that is requested; undefined when no worker can get it. */
  readonly capability: string | undefined;
  /** The scope field that `<…>` goes into; undefined when the request asks for everything. */
  readonly field?: string;
  /** Only a person may grant it. */
  readonly alwaysNeedsApproval: boolean;
  /** Why it is not available, and what to do instead. */
  readonly instead?: string;
}

const everything = (permission: string, capability: string): LegacyPermission => ({ permission, capability, alwaysNeedsApproval: true });
const scoped = (permission: string, capability: string, field: string): LegacyPermission => ({
  permission,
  capability,
  field,
  alwaysNeedsApproval: false,
});
const unavailable = (permission: string, instead: string): LegacyPermission => ({
  permission,
  capability: undefined,
  alwaysNeedsApproval: false,
  instead,
});

const noDatabase = 'a worker has no access to the database of the host; use storage.read and storage.write';

/**
 * The written table of the legacy field `permissions`. `docs/manifest.md` shows the same table; a test compares the two.
 * A right without limits always needs the approval of a person, whatever the policy allows.
 */
export const legacyPermissions: readonly LegacyPermission[] = [
  everything('filesystem.read', 'filesystem.read'),
  scoped('filesystem.read:<path>', 'filesystem.read', 'paths'),
  everything('filesystem.write', 'filesystem.write'),
  scoped('filesystem.write:<path>', 'filesystem.write', 'paths'),
  everything('network.enabled', 'network.http'),
  everything('network.http', 'network.http'),
  everything('network.outbound', 'network.http'),
  everything('network:outbound', 'network.http'),
  scoped('network.http:<host>', 'network.http', 'hosts'),
  scoped('network:outbound:<host>', 'network.http', 'hosts'),
  everything('network.socket', 'network.socket'),
  scoped('network.socket:<host>', 'network.socket', 'hosts'),
  unavailable('network.inbound', 'a worker cannot open a port; let a channel of the host receive and use agents.message'),
  scoped('secrets.required:<name>', 'secrets.read', 'names'),
  everything('process.spawn', 'process.spawn'),
  everything('agents.message', 'agents.message'),
  unavailable('agents.read', 'a worker cannot list agents'),
  unavailable('database.read', noDatabase),
  unavailable('database.write', noDatabase),
  unavailable('system.config.read', "a worker gets its plugin's own configuration without asking"),
];

/** The row of the table for a permission as it was written, with the value that stands for `<…>`. */
export function findLegacyPermission(written: string): { readonly row: LegacyPermission; readonly value: string | undefined } | undefined {
  for (const row of legacyPermissions) {
    const open = row.permission.indexOf('<');
    if (open === -1) {
      if (row.permission === written) return { row, value: undefined };
    } else if (written.length > open && written.startsWith(row.permission.slice(0, open))) {
      return { row, value: written.slice(open) };
    }
  }
  return undefined;
}
