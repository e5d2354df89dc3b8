export type { RouteMessage } from './agents-service.js';
export type { PluginHealth, PluginLogEntry } from './baseline-services.js';
export {
  type BaselineServiceMethod,
  type CallLink,
  defineMethod,
  defineService,
  type GuardedServiceMethod,
  type Service,
  type ServiceCall,
  type ServiceMethod,
} from './define-service.js';
export type { BusEvent, SubscriptionOptions } from './event-bus.js';
export { type MemoryStorageOptions, memoryStorage } from './memory-storage.js';
export type { StorageBackend } from './storage-service.js';
