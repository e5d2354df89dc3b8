import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { assertService, isGuarded, type Service } from '../services/define-service.js';

/**
 * Proves that the services and the catalogue fit each other, before the first plugin is installed.
 *
 * Every method is guarded, or baseline with a reason; every guarded one names a capability of the catalogue, the very one; every capability that an embedder added guards a
 * method. Built-in capabilities that nothing guards in this host are not offered: a plan denies them.
 * @throws UNGUARDED_METHOD, UNKNOWN_CAPABILITY, UNUSED_CAPABILITY, INVALID_ARGUMENT
 */
export function proveGuards(services: readonly Service[], catalogue: CapabilityCatalogue): void {
  const used = new Set<string>();
  for (const service of services) {
    assertService(service);
    for (const [name, method] of Object.entries(service.methods)) {
      if (!isGuarded(method)) continue;
      const { capability } = method;
      if (catalogue.get(capability.name) !== capability) {
        throw new WorkerRuntimeError(
          'UNKNOWN_CAPABILITY',
          `"${service.name}.${name}" is guarded by ${capability.name}, which is not in the catalogue; add it: createCatalogue([...builtinCapabilities, …]).`,
        );
      }
      used.add(capability.name);
    }
  }
  const builtin = new Set(builtinCapabilities.map((capability) => capability.name));
  const unused = catalogue.names.find((name) => !used.has(name) && !builtin.has(name));
  if (unused !== undefined) {
    throw new WorkerRuntimeError(
      'UNUSED_CAPABILITY',
      `The capability ${unused} guards no method; name it in a service or remove it from the catalogue.`,
    );
  }
}
