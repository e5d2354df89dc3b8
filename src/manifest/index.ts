export {
  type ConfigField,
  type ConfigRules,
  type ConfigSchema,
  type ConfigType,
  configTypes,
} from './config-schema.js';
export { type ConfigProblem, type ConfigProblemCode, configProblemCodes } from './config-value.js';
export { maxManifestBytes } from './decode-text.js';
export { type LegacyPermission, legacyPermissions } from './legacy-permissions.js';
export type { LinearPattern } from './linear-pattern.js';
export {
  type Manifest,
  type ManifestCapabilityRequest,
  type ManifestLimits,
  type ManifestProvides,
  type ManifestRuntime,
  type PluginDependency,
  type PluginType,
  type ProvidedMethod,
  type ProvidedStream,
  pluginTypes,
  type RuntimeType,
  runtimeTypes,
} from './manifest.js';
export { manifestDigest } from './manifest-digest.js';
export { manifestJsonSchema } from './manifest-schema.js';
export { type ManifestOptions, type ManifestResult, parseManifest, safeParseManifest } from './parse-manifest.js';
export type { PluginFile, PluginFiles } from './plugin-files.js';
export { type Problem, type ProblemCode, problemCodes } from './problem.js';
export type { ManifestInput } from './read-document.js';
export { type ConfigResult, parseConfig, validateConfig } from './validate-config.js';
export { parseVersionConstraint, satisfiesVersion, type VersionConstraint, type VersionOperator } from './version-constraint.js';
