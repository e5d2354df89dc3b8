import type { Capability } from './capability.js';
import { defineCapability } from './define-capability.js';
import { scopes } from './scopes.js';

/** Requests over HTTP, made by the host on the plugin's behalf. */
export const networkHttp: Capability<'hosts' | 'ports' | 'methods' | 'schemes'> = defineCapability({
  name: 'network.http',
  risk: 'medium',
  sentence: 'send HTTP requests to {hosts} (methods: {methods}; schemes: {schemes}; ports: {ports})',
  scope: {
    hosts: scopes.hostPatterns(),
    ports: scopes.ports(),
    methods: scopes.oneOf(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']),
    schemes: scopes.oneOf(['http', 'https']),
  },
});

/** Connections of any protocol. */
export const networkSocket: Capability<'hosts' | 'ports'> = defineCapability({
  name: 'network.socket',
  risk: 'high',
  sentence: 'open network connections to {hosts} (ports: {ports})',
  scope: { hosts: scopes.hostPatterns(), ports: scopes.ports() },
});

/** Reading files of the host's machine. Paths are absolute; a path covers all that is beneath it. */
export const filesystemRead = defineCapability({
  name: 'filesystem.read',
  risk: 'medium',
  sentence: 'read files and folders in {paths}',
  scope: { paths: scopes.pathPrefixes() },
});

/** Creating, changing and deleting files of the host's machine. It does not include reading them. */
export const filesystemWrite = defineCapability({
  name: 'filesystem.write',
  risk: 'high',
  sentence: 'create, change and delete files in {paths}',
  scope: { paths: scopes.pathPrefixes() },
});

/** Secrets of the host, by exact name. Secrets of the plugin's own configuration need no capability. */
export const secretsRead = defineCapability({
  name: 'secrets.read',
  risk: 'high',
  sentence: 'use secrets: {names}',
  scope: { names: scopes.names() },
});

/** Publishing to topics. An attempt names the one topic of the event, never a pattern. */
export const eventsPublish = defineCapability({
  name: 'events.publish',
  risk: 'medium',
  sentence: 'publish events: {topics}',
  scope: { topics: scopes.topicPatterns({ attempts: 'topics' }) },
});

/** An attempt names the pattern of the subscription, and all that the pattern covers must be granted. */
export const eventsSubscribe = defineCapability({
  name: 'events.subscribe',
  risk: 'medium',
  sentence: 'receive events: {topics}',
  scope: { topics: scopes.topicPatterns() },
});

/** Of the plugin's own storage. An attempt to list keys names their prefix and `*`. */
export const storageRead = defineCapability({
  name: 'storage.read',
  risk: 'low',
  sentence: 'read {keys} of its own storage',
  scope: { keys: scopes.keyPrefixes() },
});

/** Of the plugin's own storage: setting and deleting keys. It does not include reading them. */
export const storageWrite = defineCapability({
  name: 'storage.write',
  risk: 'low',
  sentence: 'write and delete {keys} of its own storage',
  scope: { keys: scopes.keyPrefixes() },
});

/** Handing inbound messages to the agents of the host, as a channel does. */
export const agentsMessage = defineCapability({
  name: 'agents.message',
  risk: 'medium',
  sentence: 'send messages to agents through {channels}',
  scope: { channels: scopes.names() },
});

/** Completions by the models of the host, by name or prefix of names (`claude-*`). */
export const modelsComplete = defineCapability({
  name: 'models.complete',
  risk: 'medium',
  sentence: 'send prompts to {models}',
  scope: { models: scopes.keyPrefixes() },
});

/** Tools of the host, by name or prefix of names (`calendar/*`). */
export const toolsCall = defineCapability({
  name: 'tools.call',
  risk: 'high',
  sentence: 'call tools: {tools}',
  scope: { tools: scopes.keyPrefixes() },
});

/** Durable calls that run later or repeatedly, by exact name of the task. */
export const tasksSchedule = defineCapability({
  name: 'tasks.schedule',
  risk: 'medium',
  sentence: 'schedule tasks: {names}',
  scope: { names: scopes.names() },
});

/** Programs that the host starts on the plugin's behalf, by exact name. */
export const processSpawn = defineCapability({
  name: 'process.spawn',
  risk: 'high',
  sentence: 'start programs on the host: {programs}',
  scope: { programs: scopes.names() },
});

/** The capabilities that come with the library. An embedder adds its own: `createCatalogue([...builtinCapabilities, mailSend])`. */
export const builtinCapabilities: readonly Capability[] = Object.freeze([
  networkHttp,
  networkSocket,
  filesystemRead,
  filesystemWrite,
  secretsRead,
  eventsPublish,
  eventsSubscribe,
  storageRead,
  storageWrite,
  agentsMessage,
  modelsComplete,
  toolsCall,
  tasksSchedule,
  processSpawn,
]);
