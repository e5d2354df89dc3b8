/**
 * The Node entry: the host on a real machine. It brings the whole neutral entry too.
 *
 * @packageDocumentation
 */
export * from '../index.js';
export { type CheckPluginOptions, checkPlugin, type PluginCheck } from './check-plugin.js';
export { createNodeHost, type NodeHostOptions } from './create-node-host.js';
export type { LaunchedProcess, ProcessExit } from './launched-process.js';
export { nodePlatform } from './node-platform.js';
export { type PluginFolder, type PluginFolderLimits, readPluginFolder } from './plugin-folder.js';
export { type ProcessLauncher, type ProcessLauncherOptions, processLauncher } from './process-launcher.js';
export { type ThreadLauncher, type ThreadLauncherOptions, type ThreadResourceLimits, threadLauncher } from './thread-launcher.js';
