export type { RouteMessage } from './agents-service.js';
export type { PluginHealth, PluginLogEntry } from './baseline-services.js';
export type { BusEvent } from './bus-event.js';
export {
  type BaselineServiceMethod,
  type CallLink,
  defineMethod,
  defineService,
  type GuardedServiceMethod,
  type Service,
  type ServiceCall,
  type ServiceMethod,
  type ServiceMethodBase,
} from './define-service.js';
export type { SubscriptionOptions } from './event-subscription.js';
export { type MemoryStorageOptions, memoryStorage } from './memory-storage.js';
export type { StorageBackend, StorageRange } from './storage-service.js';
