import type { Logger } from '../interfaces/logger.js';
import { agentsService, type RouteMessage } from '../services/agents-service.js';
import { configService, healthService, logService } from '../services/baseline-services.js';
import type { Service } from '../services/define-service.js';
import { eventsService } from '../services/events-service.js';
import { type StorageBackend, storageService } from '../services/storage-service.js';
import type { HostEvents } from './host-events.js';
import type { InstalledPlugin } from './install-plugin.js';
import type { Notifier } from './notifications.js';
import { logPluginLine } from './plugin-log.js';

/** What the built-in services do their work with. */
export interface BuiltinServicesOptions {
  readonly installed: ReadonlyMap<string, InstalledPlugin>;
  readonly events: HostEvents;
  readonly notifier: Notifier;
  readonly logger: Logger;
  readonly storage: StorageBackend;
  readonly routeMessage: RouteMessage | undefined;
}

/** The services that every host has: log, config, health, events, storage, agents. */
export function builtinServices({ installed, events, notifier, logger, storage, routeMessage }: BuiltinServicesOptions): readonly Service[] {
  const of = (pluginId: string): InstalledPlugin => installed.get(pluginId) as InstalledPlugin;
  return [
    logService(({ level, message, fields }, call) =>
      logPluginLine({ notifier, logger, redact: of(call.pluginId).redact }, { plugin: call.pluginId, worker: call.workerId, level, message, fields: fields ?? {}, source: 'log' }),
    ),
    configService((pluginId) => of(pluginId).supervisor.config),
    healthService((health, call) => {
      const bounded = health.message === undefined ? health : { ...health, message: of(call.pluginId).redact(health.message) };
      of(call.pluginId).supervisor.health = bounded;
      notifier.emit('plugin.health', { plugin: call.pluginId, worker: call.workerId, health: bounded });
    }),
    eventsService({
      publish: (call, { topic, payload, correlationId }) => events.publish(topic, payload, { source: call.pluginId, correlationId }),
      subscribe: (call, pattern) => of(call.pluginId).supervisor.subscriptions.add(pattern),
      unsubscribe: (call, pattern) => of(call.pluginId).supervisor.subscriptions.remove(pattern),
    }),
    storageService(storage),
    agentsService(routeMessage),
  ];
}
