import {
  type Attempt,
  builtinCapabilities,
  type Capability,
  type CapabilityRequest,
  createCatalogue,
  defineCapability,
  type Scope,
  scopes,
} from '../../src/capabilities/index.js';
import {
  compileGrants,
  createGrant,
  type Decision,
  decide,
  type Grant,
  type GrantSubject,
  type Policy,
  type PolicyDocument,
  type PolicyRule,
  parsePolicy,
} from '../../src/policy/index.js';

/** A capability with two fields, small enough to enumerate. */
export const door = defineCapability({
  name: 'test.door',
  risk: 'high',
  sentence: 'open {rooms} by {methods}',
  scope: { rooms: scopes.topicPatterns(), methods: scopes.oneOf(['GET', 'POST', 'PUT']) },
});

/** A capability without a scope. */
export const bell = defineCapability({ name: 'test.bell', risk: 'low', sentence: 'ring the bell', scope: {} });

export const catalogue = createCatalogue([...builtinCapabilities, door, bell]);

export const subject: GrantSubject = { pluginId: 'summarizer', manifestDigest: 'd1' };

/** The scope that a manifest writes as `raw`. */
export function scopeOf(capability: Capability, raw: Readonly<Record<string, unknown>>): Scope {
  const parsed = capability.parseScope(raw);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.scope;
}

export function capabilityOf(name: string): Capability {
  const capability = catalogue.get(name);
  if (capability === undefined) throw new Error(`There is no capability ${name}.`);
  return capability;
}

export function request(name: string, raw: Readonly<Record<string, unknown>> = {}, more: Partial<CapabilityRequest> = {}): CapabilityRequest {
  return { capability: name, scope: scopeOf(capabilityOf(name), raw), optional: false, ...more };
}

let lastId = 0;

export function grant(name: string, raw: Readonly<Record<string, unknown>> = {}, more: Partial<Grant> = {}): Grant {
  return { ...createGrant(request(name, raw), subject, { id: `g${++lastId}`, by: 'ada', grantedAt: '2026-01-01T00:00:00.000Z' }), ...more };
}

export function policy(...rules: NonNullable<PolicyDocument['rules']>): Policy {
  return parsePolicy(
    { version: 1, rules },
    { catalogue, fileName: 'policy.yml', locate: (pointer) => ({ line: 10 + Number(pointer.split('/')[2] ?? 0), column: 1 }) },
  );
}

/** Decides under these grants and rules. */
export function judge(attempt: Attempt, grants: readonly Grant[], rules: readonly PolicyRule[] = [], nowMs = 0): Decision {
  return decide(compileGrants(grants, { catalogue, subject, rules }), attempt, nowMs);
}
