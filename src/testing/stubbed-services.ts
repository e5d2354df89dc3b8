import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { agentsService } from '../services/agents-service.js';
import { configService, healthService, logService, type PluginLogEntry } from '../services/baseline-services.js';
import type { Service, ServiceMethod } from '../services/define-service.js';
import { eventsService } from '../services/events-service.js';
import { memoryStorage } from '../services/memory-storage.js';
import { storageService } from '../services/storage-service.js';
import type { PublishedEvent, ServiceStub } from './plugin-records.js';

/** What the services of a test do, where no stub stands in for them. */
export interface StubbedServicesOptions {
  readonly config: Readonly<Record<string, unknown>>;
  onLog(entry: PluginLogEntry): void;
  publish(event: PublishedEvent): string;
  subscribe(pattern: string): void;
  unsubscribe(pattern: string): void;
}

/**
 * The services of a host, with stubs in the place of some of their methods and beside them.
 * @throws INVALID_ARGUMENT for a stub whose name is not `service.method`, or that is neither a function nor a method of a service.
 */
export function stubbedServices(stubs: Readonly<Record<string, ServiceStub>>, options: StubbedServicesOptions): readonly Service[] {
  const services = new Map<string, Record<string, ServiceMethod>>();
  for (const { name, methods } of ownServices(options)) services.set(name, { ...methods });
  for (const [name, stub] of Object.entries(stubs)) {
    const parted = /^([A-Za-z_][A-Za-z0-9_-]*)\.([A-Za-z0-9_./-]+)$/.exec(name);
    if (parted === null)
      throw new WorkerRuntimeError('INVALID_ARGUMENT', `"${name}" is not a method of the host: write service.method, as storage.get.`);
    const [, service = '', method = ''] = parted;
    const methods = services.get(service) ?? {};
    methods[method] = methodOf(name, stub, methods[method]);
    services.set(service, methods);
  }
  return [...services].map(([name, methods]) => ({ name, methods }));
}

function methodOf(name: string, stub: ServiceStub, present: ServiceMethod | undefined): ServiceMethod {
  if (typeof stub === 'function') {
    const handle = stub as ServiceMethod['handle'];
    if (present !== undefined) return { ...present, handle };
    return { baseline: 'A function of a test stands in for it, and says nothing of a capability.', handle };
  }
  if (typeof stub === 'object' && stub !== null && typeof stub.handle === 'function' && ('capability' in stub || 'baseline' in stub)) return stub;
  throw new WorkerRuntimeError(
    'INVALID_ARGUMENT',
    `The stub of "${name}" must be a function, or a method with handle and either capability and scope, or baseline.`,
  );
}

function ownServices({ config, onLog, publish, subscribe, unsubscribe }: StubbedServicesOptions): Service[] {
  return [
    logService(onLog),
    configService(() => config),
    healthService(() => {}),
    eventsService({
      publish: async (_call, { topic, payload, correlationId }) => publish({ topic, payload, correlationId }),
      subscribe: (_call, pattern) => subscribe(pattern),
      unsubscribe: (_call, pattern) => unsubscribe(pattern),
    }),
    storageService(memoryStorage()),
    agentsService(() => {}),
  ];
}
