export {
  agentsMessage,
  builtinCapabilities,
  eventsPublish,
  eventsSubscribe,
  filesystemRead,
  filesystemWrite,
  modelsComplete,
  networkHttp,
  networkSocket,
  processSpawn,
  secretsRead,
  storageRead,
  storageWrite,
  tasksSchedule,
  toolsCall,
} from './builtin-capabilities.js';
export type {
  Attempt,
  Capability,
  CapabilityCatalogue,
  CapabilityRequest,
  PatternIndex,
  Risk,
  Scope,
  ScopeKind,
  ScopeProblem,
} from './capability.js';
export { createCatalogue } from './catalogue.js';
export { type CapabilityDefinition, defineCapability } from './define-capability.js';
export { coversScope, intersectScopes } from './scope-algebra.js';
export type { TopicPatternOptions } from './scope-topics.js';
export { type Scopes, scopes } from './scopes.js';
