import type { Attempt, CapabilityCatalogue, CapabilityRequest } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Clock } from '../interfaces/platform.js';
import type { WireGrant } from '../messages/message.js';
import { type CompiledGrants, compileGrants } from '../policy/compile-grants.js';
import { decide } from '../policy/decide.js';
import type { Decision } from '../policy/decision.js';
import { createGrant, expiryOf, type Grant, type GrantSubject, isPinnedTo } from '../policy/grant.js';
import type { GrantStore } from '../policy/grant-store.js';
import { type Plan, type PlanItem, plan } from '../policy/plan.js';
import { type Policy, rulesFor, type TrustTier } from '../policy/policy.js';
import type { Audit } from './audit.js';

/** What the authority of one plugin is made of. */
export interface AuthorityOptions {
  readonly clock: Clock;
  readonly createId: () => string;
  readonly policy: Policy;
  readonly catalogue: CapabilityCatalogue;
  /** Names of the capabilities that guard something in this host. */
  readonly offered: ReadonlySet<string>;
  readonly store: GrantStore;
  readonly audit: Audit;
  readonly subject: GrantSubject;
  readonly trust: TrustTier;
  readonly requests: readonly CapabilityRequest[];
}

/** Which requests an approval covers, by whom and for how long. */
export interface Approval {
  /** The operator, for the record. */
  readonly by: string;
  /** Names of capabilities, or items of the plan; default all that need approval. */
  readonly items?: readonly (string | PlanItem)[];
  /** When the grants end, in the future. Default never. */
  readonly expires?: Date;
  /** Why, for the record. */
  readonly reason?: string;
}

/** What one plugin may do: the plan of its requests, its grants, and the only caller of `decide`. */
export class Authority {
  readonly #options: AuthorityOptions;
  readonly #policyGrants = new Map<string, Grant>();
  /** Requests whose grant by the policy was revoked, by their key. */
  readonly #withdrawn = new Set<string>();
  /** Ids of approvals that were revoked: a store that is being read, or that failed, must not bring them back. */
  readonly #revoked = new Set<string>();
  #approved: readonly Grant[] = [];
  #compiled: CompiledGrants;

  constructor(options: AuthorityOptions) {
    this.#options = options;
    this.#compiled = this.#compile();
  }

  /** The grants in force. */
  get grants(): readonly Grant[] {
    const now = this.#options.clock.wallTime();
    return [...this.#policyGrants.values(), ...this.#approved].filter((grant) => now < expiryOf(grant));
  }

  /** The grants as the worker sees them. */
  get wireGrants(): readonly WireGrant[] {
    return this.grants.map(({ capability, scope, expiresAt }) => ({ capability, scope, expiresAt }));
  }

  /** Judges an attempt of the plugin. */
  decide(attempt: Attempt): Decision {
    return decide(this.#compiled, attempt, this.#options.clock.wallTime());
  }

  /** What becomes of each request, by which rule; nothing is changed. */
  async plan(): Promise<Plan> {
    return this.#plan(await this.#readApprovals());
  }

  /** Makes grants of what the policy allows, and says what is missing. */
  async resolve(): Promise<Plan> {
    const read = await this.#readApprovals();
    // Once more: one may have been revoked while the store was being read.
    this.#approved = read.filter((grant) => !this.#revoked.has(grant.id));
    const planned = this.#plan(this.#approved);
    for (const [index, item] of planned.items.entries()) {
      const key = keyOf(index, item);
      if (item.code !== 'ALLOWED_BY_RULE') this.#policyGrants.delete(key);
      else if (!this.#policyGrants.has(key)) {
        const grant = this.#newGrant(item, { by: 'policy', ...(item.rule === undefined ? {} : { rule: item.rule }) });
        this.#policyGrants.set(key, grant);
        this.#record('grant', grant);
      }
    }
    this.#compiled = this.#compile();
    return planned;
  }

  /** Turns requests that need approval into grants. @throws INVALID_ARGUMENT for an item that the plan does not have; CAPABILITY_DENIED for one that the policy denies. */
  async approve({ by, items, expires, reason }: Approval): Promise<readonly Grant[]> {
    assertNamed(by);
    if (expires !== undefined && !(expires.getTime() > this.#options.clock.wallTime())) {
      throw new WorkerRuntimeError('INVALID_ARGUMENT', 'An approval ends in the future; expires is not a time in it.');
    }
    const planned = await this.plan();
    const chosen = planned.items.filter((item) => items === undefined || items.some((wanted) => isItem(wanted, item)));
    for (const wanted of items ?? []) {
      if (!planned.items.some((item) => isItem(wanted, item))) {
        const name = typeof wanted === 'string' ? wanted : wanted.request.capability;
        throw new WorkerRuntimeError('INVALID_ARGUMENT', `The plugin does not request "${name}"; only requests of its manifest can be approved.`);
      }
    }
    const denied = chosen.find((item) => item.outcome === 'denied');
    if (items !== undefined && denied !== undefined) {
      throw new WorkerRuntimeError('CAPABILITY_DENIED', `"${denied.request.capability}" cannot be approved: ${denied.explanation}`, {
        details: { capability: denied.request.capability, scope: denied.request.scope },
      });
    }
    const grants = chosen
      .filter((item) => item.outcome === 'needs-approval')
      .map((item) =>
        this.#newGrant(item, {
          by,
          ...(reason === undefined ? {} : { reason }),
          ...(expires === undefined ? {} : { expiresAt: expires.toISOString() }),
        }),
      );
    if (grants.length > 0) await this.#options.store.add(grants);
    for (const grant of grants) this.#record('grant', grant);
    await this.resolve();
    return grants;
  }

  /** Takes a grant back. @returns whether it was this plugin's. */
  async revoke(grantId: string, by: string, reason?: string): Promise<boolean> {
    assertNamed(by);
    const approved = this.#approved.find((grant) => grant.id === grantId);
    const byPolicy = [...this.#policyGrants].find(([, grant]) => grant.id === grantId);
    const grant = approved ?? byPolicy?.[1];
    if (grant === undefined) return false;
    // First of all the door is shut; the store follows.
    this.#revoked.add(grantId);
    this.#approved = this.#approved.filter((candidate) => candidate !== grant);
    if (byPolicy !== undefined) {
      this.#policyGrants.delete(byPolicy[0]);
      this.#withdrawn.add(byPolicy[0]);
    }
    this.#compiled = this.#compile();
    this.#record('revoke', { ...grant, by, ...(reason === undefined ? {} : { reason }) });
    if (approved !== undefined) await this.#options.store.remove([grantId]);
    return true;
  }

  async #readApprovals(): Promise<readonly Grant[]> {
    const stored = await this.#options.store.list({ pluginId: this.#options.subject.pluginId });
    return stored.filter((grant) => isPinnedTo(grant, this.#options.subject) && !this.#revoked.has(grant.id));
  }

  #plan(approved: readonly Grant[]): Plan {
    const { policy, catalogue, offered, subject, trust, requests, clock } = this.#options;
    const planned = plan(requests, { policy, catalogue, offered, pluginId: subject.pluginId, trust, grants: approved, nowMs: clock.wallTime() });
    const items = planned.items.map((item, index): PlanItem => {
      if (item.code !== 'ALLOWED_BY_RULE' || !this.#withdrawn.has(keyOf(index, item))) return item;
      return { ...item, outcome: 'needs-approval', code: 'NOT_COVERED', explanation: 'Its grant was revoked; approve it to give it again.' };
    });
    const required = items.filter((item) => !item.optional).map((item) => item.outcome);
    const status = required.includes('denied') ? 'denied' : required.includes('needs-approval') ? 'needs-approval' : 'ready';
    return { ...planned, items, status };
  }

  #compile(): CompiledGrants {
    const { policy, catalogue, subject, trust } = this.#options;
    const rules = rulesFor(policy, { pluginId: subject.pluginId, trust });
    return compileGrants([...this.#policyGrants.values(), ...this.#approved], { catalogue, subject, rules });
  }

  #newGrant(item: PlanItem, details: Pick<Grant, 'by' | 'reason' | 'expiresAt' | 'rule'>): Grant {
    const { clock, createId, subject } = this.#options;
    return createGrant(item.request, subject, { id: createId(), grantedAt: new Date(clock.wallTime()).toISOString(), ...details });
  }

  #record(kind: 'grant' | 'revoke', { pluginId, id, capability, scope, by, reason }: Grant): void {
    this.#options.audit.record({ kind, pluginId, grantId: id, capability, scope, by, reason });
  }
}

function assertNamed(by: string): void {
  if (by.trim() === '') throw new WorkerRuntimeError('INVALID_ARGUMENT', 'Whoever approves or revokes must be named (by).');
}

/** A manifest may request one capability twice. */
function keyOf(index: number, item: PlanItem): string {
  return `${index} ${item.request.capability}`;
}

function isItem(wanted: string | PlanItem, item: PlanItem): boolean {
  return typeof wanted === 'string' ? wanted === item.request.capability : wanted.request === item.request || sameRequest(wanted, item);
}

function sameRequest(left: PlanItem, right: PlanItem): boolean {
  return left.request.capability === right.request.capability && JSON.stringify(left.request.scope) === JSON.stringify(right.request.scope);
}
