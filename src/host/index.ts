export type { AuditEntry, AuditRecord, AuditSink } from './audit.js';
export type { Approval } from './authority.js';
export {
  type ConnectControllerOptions,
  type ControlledPlugin,
  type Controller,
  type ControllerCallOptions,
  connectController,
} from './connect-controller.js';
export { createHost, type Host } from './create-host.js';
export type { HostListener } from './dial-in/dial-in.js';
export type { DialInOptions } from './dial-in/dial-in-options.js';
export type { ControllerTokenOptions, IssuedToken, IssueTokenOptions, TokenInspection, TokenOptions, WorkerTokenOptions } from './dial-in/tokens.js';
export type { HostEvents } from './host-events.js';
export type { HostOptions, InstallOptions } from './host-options.js';
export type { HostLimits } from './limits.js';
export type { HostNotifications } from './notifications.js';
export { parsePolicyText } from './parse-policy-text.js';
export type { Plugin } from './plugin.js';
export type { CallOptions } from './plugin-calls.js';
export type { FileUrl, PluginSource } from './plugin-source.js';
export { type PluginState, pluginStates } from './plugin-table.js';
export type { WorkerInspection } from './worker-inspection.js';
