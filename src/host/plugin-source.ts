import type { Launcher } from '../interfaces/launcher.js';
import type { PluginFiles } from '../manifest/plugin-files.js';

/** A `URL` with the scheme `file:`, as `new URL('my-plugin', import.meta.url)`. */
export interface FileUrl {
  /** The whole URL. */
  readonly href: string;
}

/** What a plugin is installed from. `createNodeHost` makes it from a folder, `fakePlugin` from handlers. */
export interface PluginSource {
  /** The manifest's raw bytes or text. */
  readonly manifest: Uint8Array | string;
  /** For messages, and to tell YAML from JSON. */
  readonly manifestFileName?: string;
  /** Absolute path of the plugin's folder. */
  readonly directory?: string;
  /** What is in the folder: with it the entry point must be a file there. */
  readonly files?: PluginFiles;
  /** SHA-256 over the folder's content, 64 lower-case hex digits. */
  readonly contentDigest?: string;
  /** Reads the content digest anew: with it, what has changed since the plugin was installed is not started. */
  readonly readContentDigest?: () => Promise<string>;
  /** Starts its workers; default the host's launcher for its runtime. */
  readonly launcher?: Launcher;
}
