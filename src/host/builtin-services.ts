import { agentsService, type RouteMessage } from '../services/agents-service.js';
import { configService, healthService, logService } from '../services/baseline-services.js';
import type { Service } from '../services/define-service.js';
import { eventsService } from '../services/events-service.js';
import { type StorageBackend, storageService } from '../services/storage-service.js';
import type { HostEvents } from './host-events.js';
import type { PluginVersion } from './install-plugin.js';
import type { Notifier } from './notifications.js';

/** What the built-in services do their work with. */
export interface BuiltinServicesOptions {
  /** The version of a plugin that is installed now, and whose worker is calling. */
  version(pluginId: string): PluginVersion;
  readonly events: HostEvents;
  readonly notifier: Notifier;
  readonly storage: StorageBackend;
  readonly routeMessage: RouteMessage | undefined;
}

/** The services that every host has: log, config, health, events, storage, agents. */
export function builtinServices({ version, events, notifier, storage, routeMessage }: BuiltinServicesOptions): readonly Service[] {
  return [
    logService(({ level, message, fields }, call) =>
      version(call.pluginId).log.write({ worker: call.workerId, level, message, fields: fields ?? {}, source: 'log' }),
    ),
    configService((pluginId) => version(pluginId).supervisor.config),
    healthService((health, call) => {
      const { log, supervisor } = version(call.pluginId);
      const clean = health.message === undefined ? health : { ...health, message: log.clean(health.message) };
      supervisor.health = clean;
      notifier.emit('plugin.health', { plugin: call.pluginId, worker: call.workerId, health: clean });
    }),
    eventsService({
      publish: (call, { topic, payload, correlationId }) => events.publish(topic, payload, { source: call.pluginId, correlationId }),
      subscribe: (call, pattern) => version(call.pluginId).supervisor.subscriptions.add(pattern),
      unsubscribe: (call, pattern) => version(call.pluginId).supervisor.subscriptions.remove(pattern),
    }),
    storageService(storage),
    agentsService(routeMessage),
  ];
}
