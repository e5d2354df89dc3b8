import { randomUUID } from 'node:crypto';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { coversScope, overlapsScope } from '../capabilities/scope-algebra.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Plugin } from '../host/plugin.js';
import { createGrant, type GrantSubject } from '../policy/grant.js';
import type { GrantStore } from '../policy/grant-store.js';
import type { Plan, PlanItem } from '../policy/plan.js';
import { type GrantWord, grantWord, shellQuote } from './grant-words.js';

/** What {@link applyGrants} needs. */
export interface ApplyGrantsOptions {
  readonly plugin: Plugin;
  readonly words: readonly GrantWord[];
  readonly catalogue: CapabilityCatalogue;
  /** The store of the plugin's host. */
  readonly store: GrantStore;
  /** The very manifest and content that are installed. */
  readonly subject: GrantSubject;
}

/**
 * Gives the plugin what `--grant` names: all that it requests of a capability, or the scope that is named, which may be narrower than the request
 * and never wider. Nothing is given if one of the words is not acceptable.
 * @throws INVALID_ARGUMENT for what the manifest does not request; CAPABILITY_DENIED for what the policy denies or the host does not offer.
 */
export async function applyGrants({ plugin, words, catalogue, store, subject }: ApplyGrantsOptions): Promise<void> {
  if (words.length === 0) return;
  const planned = await plugin.plan();
  const grantedAt = new Date().toISOString();
  const scopes = words.flatMap((word) => scopesOf(word, planned, catalogue).map((scope) => ({ capability: word.capability.name, scope })));
  await store.add(scopes.map((request) => createGrant(request, subject, { id: randomUUID(), by: 'command line', grantedAt })));
}

/** The words that would allow the items. */
export function grantsFor(items: readonly PlanItem[], catalogue: CapabilityCatalogue): readonly string[] {
  const words = items.map(({ request }) => grantWord(request.capability, request.scope, catalogue.get(request.capability)));
  return [...new Set(words)];
}

function scopesOf({ capability, scope }: GrantWord, planned: Plan, catalogue: CapabilityCatalogue) {
  const { name } = capability;
  const requested = planned.items.filter(({ request }) => request.capability === name);
  if (requested.length === 0) {
    const all = planned.items.map(({ request }) => request.capability);
    const known = all.length === 0 ? 'it requests nothing' : `it requests ${[...new Set(all)].join(', ')}`;
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `--grant ${name}: "${planned.pluginId}" does not request it (${known}), and only what its manifest requests can be granted.`,
    );
  }
  const concerned = scope === undefined ? requested : requested.filter(({ request }) => overlapsScope(capability, request.scope, scope));
  if (
    scope !== undefined &&
    !coversScope(
      capability,
      concerned.map(({ request }) => request.scope),
      scope,
    )
  ) {
    const word = shellQuote(grantWord(name, scope, capability));
    const most = grantsFor(requested, catalogue).map(shellQuote).join(' and ');
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `--grant ${word} is more than "${planned.pluginId}" requests; at most ${most} can be granted.`);
  }
  const denied = concerned.find(({ outcome }) => outcome === 'denied');
  if (denied !== undefined) {
    const { capability: refused, scope: refusedScope } = denied.request;
    throw new WorkerRuntimeError('CAPABILITY_DENIED', `--grant ${name} changes nothing: ${denied.explanation}`, {
      details: { capability: refused, scope: refusedScope },
    });
  }
  return scope === undefined ? concerned.map(({ request }) => request.scope) : [scope];
}
