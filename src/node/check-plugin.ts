import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { builtinCapabilities } from '../capabilities/builtin-capabilities.js';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { createCatalogue } from '../capabilities/catalogue.js';
import { isWorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { checkManifest } from '../host/check-manifest.js';
import type { PluginSource } from '../host/plugin-source.js';
import { maxManifestBytes } from '../manifest/decode-text.js';
import type { ManifestResult } from '../manifest/parse-manifest.js';
import { makeProblem, type Problem } from '../manifest/problem.js';
import { readPluginFolder } from './plugin-folder.js';

/** What checking a plugin gave. */
export interface PluginCheck extends ManifestResult {
  /** What was looked at: the whole folder, or a manifest alone, whose entry point nobody has looked for. */
  readonly checked: 'folder' | 'manifest';
  /** What the problems' lines and columns belong to: the manifest, or the path as it was given where there was none to read. */
  readonly file: string;
}

/** What a plugin is checked against. */
export interface CheckPluginOptions {
  /** The capabilities of the host that will install it. Default: the built-in ones; an embedder's own are then errors. */
  readonly catalogue?: CapabilityCatalogue;
}

/**
 * Says all that is wrong with a plugin's folder, or with a single manifest file, before anybody installs it: the same reading and the same checks
 * as `host.install`. Nothing is started or kept. Never rejects for what it finds: a path that cannot be read is a problem, too.
 */
export async function checkPlugin(path: string, options: CheckPluginOptions = {}): Promise<PluginCheck> {
  const catalogue = options.catalogue ?? createCatalogue(builtinCapabilities);
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const checked = isFile ? 'manifest' : 'folder';
  try {
    const source: PluginSource & { readonly manifestFileName: string } = isFile ? await readManifestFile(path) : await readPluginFolder(path);
    return { ...checkManifest(source, catalogue), checked, file: isFile ? path : join(path, source.manifestFileName) };
  } catch (error) {
    if (isWorkerRuntimeError(error, 'INVALID_MANIFEST')) {
      return { valid: false, problems: error.details.problems as readonly Problem[], checked, file: path };
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!isFile || !/^E[A-Z]+$/.test(code)) throw error;
    const message = `The file cannot be read (${code}); check its permissions.`;
    return { valid: false, problems: [makeProblem('FOLDER_UNREADABLE', '', { line: 1, column: 1 }, message)], checked, file: path };
  }
}

/** At most so much of the file that its size is noticed. */
async function readManifestFile(path: string): Promise<{ readonly manifest: Uint8Array; readonly manifestFileName: string }> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(maxManifestBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return { manifest: buffer.subarray(0, length), manifestFileName: basename(path) };
    }
  } finally {
    await file.close();
  }
}
