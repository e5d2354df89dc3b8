import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import type { Capability, CapabilityCatalogue } from './capability.js';

/**
 * Puts capabilities into a catalogue: `createCatalogue([...builtinCapabilities, mailSend])`.
 * @throws INVALID_ARGUMENT if two have the same name: nobody could tell which of them was approved.
 */
export function createCatalogue(capabilities: Iterable<Capability>): CapabilityCatalogue {
  const byName = new Map<string, Capability>();
  for (const capability of capabilities) {
    if (byName.has(capability.name)) throw new WorkerRuntimeError('INVALID_ARGUMENT', `There are two capabilities of the name ${capability.name}.`);
    byName.set(capability.name, capability);
  }
  return Object.freeze<CapabilityCatalogue>({
    names: Object.freeze([...byName.keys()].sort()),
    get: (name) => byName.get(name),
  });
}
