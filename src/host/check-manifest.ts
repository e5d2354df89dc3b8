import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { type ManifestResult, safeParseManifest } from '../manifest/parse-manifest.js';
import type { PluginSource } from './plugin-source.js';

/**
 * Checks what a plugin would be installed from, and installs nothing. `host.install` decides by this very function, and so does everything
 * else that says whether a plugin is valid: there is no second validator that could drift. Never throws.
 */
export function checkManifest(source: PluginSource, catalogue: CapabilityCatalogue): ManifestResult {
  return safeParseManifest({ text: source.manifest, fileName: source.manifestFileName }, { catalogue, files: source.files });
}
