/**
 * The neutral entry: the host and everything that runs without Node. On Node, `createNodeHost` of the `/node` entry wires the rest.
 *
 * The way of a call: `Plugin.call` (src/host/plugin.ts) → `PluginCalls.call` (src/host/plugin-calls.ts) → `Session.call` (src/session/session.ts) →
 * `OutgoingCalls.start` → `MessageConnection` → `Outbox` → `FrameWriter` → `Connection.send` of a transport; and back from `Connection.onData` →
 * `FrameDecoder` → `decodeMessage` → `Session.onMessage` → `OutgoingCall.respond`. At the other end `CallDispatcher` (src/plugin/call-dispatcher.ts) hands it
 * to the handler. What a worker asks of the host arrives at `Session.onMessage` too, and goes to `Broker.handle` (src/host/broker.ts), the one door.
 *
 * @packageDocumentation
 */
export * from './capabilities/index.js';
export * from './errors/index.js';
export * from './frames/index.js';
export * from './host/index.js';
export * from './interfaces/index.js';
export * from './manifest/index.js';
export * from './messages/index.js';
export * from './plugin/shared.js';
export {
  type Grant,
  type GrantStore,
  type GrantSubject,
  memoryGrantStore,
  type ParsePolicyOptions,
  type Plan,
  type PlanCode,
  type PlanItem,
  type Policy,
  type PolicyDocument,
  type PolicyProblem,
  type PolicyProblemCode,
  type PolicyResult,
  type PolicyRule,
  type PolicyRuleDocument,
  type PolicySubject,
  parsePolicy,
  planCodes,
  type RuleEffect,
  type RuleReference,
  safeParsePolicy,
  type TrustTier,
  trustTiers,
} from './policy/index.js';
export * from './services/index.js';
export * from './session/index.js';
export * from './worker/index.js';
