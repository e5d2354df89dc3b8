import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { maxManifestBytes } from '../manifest/decode-text.js';
import { invalidManifest } from '../manifest/parse-manifest.js';
import type { PluginFile, PluginFiles } from '../manifest/plugin-files.js';
import { makeProblem, type ProblemCode } from '../manifest/problem.js';
import { quote } from '../manifest/quote.js';

/** Names of a manifest, in the order in which they are looked for; they stand at the root of the folder. */
export const manifestFileNames = ['manifest.yml', 'manifest.yaml', 'manifest.json'] as const;

/** Bounds on what is read of a folder. */
export interface PluginFolderLimits {
  /** Files, folders and links together. Default 10,000. */
  readonly maxEntries?: number;
  /** Bytes of all files together. Default 268,435,456 (256 MiB). */
  readonly maxBytes?: number;
  /** Folders within folders. Default 32. */
  readonly maxDepth?: number;
}

/** A plugin's folder, read once: what `host.install` and `validate` work on. */
export interface PluginFolder {
  /** Absolute, symbolic links resolved. */
  readonly directory: string;
  /** Name of the file that `manifest` was read from: `manifest.yml`, `manifest.yaml` or `manifest.json`. */
  readonly manifestFileName: string;
  /** The manifest's raw bytes. Of one over 64 KiB only so much that its size is noticed. */
  readonly manifest: Uint8Array;
  /** What is in the folder, for the check of the entry point. */
  readonly files: PluginFiles;
  /**
   * SHA-256 over the whole folder, 64 lower-case hexadecimal digits: relative paths in the order of their bytes, kinds,
   * executable and set-id bits, targets of links, bytes of files. Times, owners and read or write bits do not count.
   */
  readonly contentDigest: string;
}

/**
 * Reads a plugin's folder in one pass, so that the manifest, the index of files and the digest belong together. A
 * symbolic link may lead only to something inside the folder, except for the interpreter of a Python environment
 * (`.venv/bin/python*`); devices, sockets and pipes are refused and never opened.
 *
 * @throws INVALID_MANIFEST with `details.problems`: MANIFEST_NOT_FOUND, FOLDER_UNREADABLE, FOLDER_TOO_LARGE,
 * LINK_OUTSIDE_FOLDER, SPECIAL_FILE.
 */
export async function readPluginFolder(path: string, limits: PluginFolderLimits = {}): Promise<PluginFolder> {
  const directory = await realpath(path).catch(() => refuse('FOLDER_UNREADABLE', path, 'does not exist or cannot be read'));
  if (!(await lstat(directory)).isDirectory()) refuse('FOLDER_UNREADABLE', path, 'is not a folder; name the folder that holds the manifest');
  const walk = new FolderWalk(directory, { maxEntries: 10_000, maxBytes: 268_435_456, maxDepth: 32, ...limits });
  await walk.run();
  const manifestFileName = manifestFileNames.find((name) => walk.manifests.has(name));
  const manifest = manifestFileName === undefined ? undefined : walk.manifests.get(manifestFileName);
  if (manifestFileName === undefined || manifest === undefined) {
    return refuse('MANIFEST_NOT_FOUND', path, `has no manifest; add ${manifestFileNames[0]} as a plain file`);
  }
  return { directory, manifestFileName, manifest, files: walk.files(), contentDigest: walk.digest() };
}

interface FoundEntry {
  readonly file: PluginFile;
  /** Relative path that a link resolves to; undefined for what is no link. */
  readonly target?: string;
}

const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const chunkBytes = 65_536;
/** The interpreter of a plugin's own Python environment: the one thing in it that is a link to the system's by nature. */
const environmentInterpreter = /^\.venv\/bin\/python[\d.]*$/;

class FolderWalk {
  readonly manifests = new Map<string, Uint8Array>();
  readonly #root: string;
  readonly #limits: Required<PluginFolderLimits>;
  readonly #entries = new Map<string, FoundEntry>();
  readonly #records: { readonly path: Buffer; readonly record: Buffer }[] = [];
  readonly #buffer = Buffer.allocUnsafe(chunkBytes);
  #bytes = 0;

  constructor(root: string, limits: Required<PluginFolderLimits>) {
    this.#root = root;
    this.#limits = limits;
  }

  async run(): Promise<void> {
    const waiting: { readonly path: string; readonly depth: number }[] = [{ path: '', depth: 1 }];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (folder.depth > this.#limits.maxDepth) this.#tooLarge(folder.path, `is nested more than ${this.#limits.maxDepth} deep`);
      for (const name of await this.#attempt(folder.path, () => readdir(this.#absolute(folder.path)))) {
        const path = folder.path === '' ? name : `${folder.path}/${name}`;
        if (await this.#visit(path)) waiting.push({ path, depth: folder.depth + 1 });
      }
    }
  }

  files(): PluginFiles {
    const entries = this.#entries;
    return {
      find(path: string): PluginFile | undefined {
        const direct = entries.get(path);
        if (direct !== undefined && direct.target === undefined) return direct.file;
        const resolved = resolveLinks(path, entries);
        return resolved === undefined ? undefined : entries.get(resolved)?.file;
      },
    };
  }

  digest(): string {
    const hash = createHash('sha256').update('synapse plugin content 1\n');
    for (const { record } of this.#records.sort((left, right) => Buffer.compare(left.path, right.path))) hash.update(record);
    return hash.digest('hex');
  }

  /** Notes one entry; true when it is a folder to go into. */
  async #visit(path: string): Promise<boolean> {
    // Decoding put a replacement there: two different names could look the same.
    if (path.includes('\ufffd')) refuse('FOLDER_UNREADABLE', path, 'has a name that is not UTF-8; rename it');
    if (this.#records.length >= this.#limits.maxEntries) this.#tooLarge('', `has more than ${this.#limits.maxEntries} entries`);
    const stats = await this.#attempt(path, () => lstat(this.#absolute(path)));
    const executable = (stats.mode & 0o111) !== 0;
    if (stats.isSymbolicLink()) await this.#link(path);
    else if (stats.isDirectory()) {
      this.#entries.set(path, { file: { kind: 'folder', executable } });
      this.#record(path, 'folder', stats.mode, Buffer.alloc(0));
      return true;
    } else if (stats.isFile()) await this.#file(path, stats);
    else refuse('SPECIAL_FILE', path, 'is neither a file nor a folder nor a link; remove it');
    return false;
  }

  async #link(path: string): Promise<void> {
    const text = await this.#attempt(path, () => readlink(this.#absolute(path), 'buffer'));
    const real = await realpath(this.#absolute(path)).catch(() => refuse('LINK_OUTSIDE_FOLDER', path, 'is a link that leads nowhere; remove it'));
    if (real !== this.#root && !real.startsWith(this.#root + sep)) {
      // The text of the link is in the digest, and no entry point is found through it. Any other link, to a library for one,
      // would bring in code that can change without changing the digest.
      const isInterpreter = environmentInterpreter.test(path) && (await lstat(real)).isFile();
      if (!isInterpreter) refuse('LINK_OUTSIDE_FOLDER', path, 'is a link that leads out of the folder; replace it by a copy');
      return this.#record(path, 'link', 0, text);
    }
    const target = real
      .slice(this.#root.length + 1)
      .split(sep)
      .join('/');
    this.#entries.set(path, { file: { kind: 'file', executable: false }, target });
    this.#record(path, 'link', 0, text);
  }

  async #file(path: string, stats: Stats): Promise<void> {
    const handle = await this.#attempt(path, () => open(this.#absolute(path), openFlags));
    try {
      const opened = await handle.stat();
      if (!opened.isFile() || opened.ino !== stats.ino || opened.dev !== stats.dev)
        refuse('FOLDER_UNREADABLE', path, 'changed while it was read; try again');
      const content = await this.#attempt(path, () => this.#hash(handle, path));
      this.#entries.set(path, { file: { kind: 'file', executable: (opened.mode & 0o111) !== 0 } });
      this.#record(path, 'file', opened.mode, content);
    } finally {
      await handle.close();
    }
  }

  /** SHA-256 of a file. Counts the bytes that arrive, since a file may grow while it is read. */
  async #hash(handle: FileHandle, path: string): Promise<Buffer> {
    const hash = createHash('sha256');
    const kept: Buffer[] = [];
    const keep = (manifestFileNames as readonly string[]).includes(path);
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(this.#buffer, 0, chunkBytes, null);
      if (bytesRead === 0) break;
      this.#bytes += bytesRead;
      if (this.#bytes > this.#limits.maxBytes) this.#tooLarge('', `holds more than ${this.#limits.maxBytes} bytes`);
      const chunk = this.#buffer.subarray(0, bytesRead);
      hash.update(chunk);
      if (keep && size <= maxManifestBytes) kept.push(Buffer.from(chunk));
      size += bytesRead;
    }
    if (keep) this.manifests.set(path, Buffer.concat(kept).subarray(0, maxManifestBytes + 1));
    return hash.digest();
  }

  /** Every part with its length, so that no two folders give the same bytes. */
  #record(path: string, kind: 'file' | 'folder' | 'link', mode: number, content: Buffer): void {
    const name = Buffer.from(path);
    const head = Buffer.from(`${kind} ${(mode & 0o7111).toString(8)} ${name.length} ${content.length}\n`);
    this.#records.push({ path: name, record: Buffer.concat([head, name, content]) });
  }

  async #attempt<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (thrown) {
      const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
      if (!/^E[A-Z]+$/.test(code)) throw thrown;
      return refuse('FOLDER_UNREADABLE', path, `cannot be read (${code}); check its permissions`);
    }
  }

  #absolute(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }

  #tooLarge(path: string, what: string): never {
    return refuse(
      'FOLDER_TOO_LARGE',
      path === '' ? this.#root : path,
      `${what}; leave out what the plugin does not need, such as a virtual environment`,
    );
  }
}

/** Follows links, at any segment, within the index. Links of links are already resolved, so each segment needs one step. */
function resolveLinks(path: string, entries: ReadonlyMap<string, FoundEntry>): string | undefined {
  let resolved = '';
  for (const segment of path.split('/')) {
    const next = resolved === '' ? segment : `${resolved}/${segment}`;
    const entry = entries.get(next);
    if (entry === undefined) return undefined;
    resolved = entry.target ?? next;
  }
  return resolved;
}

function refuse(code: ProblemCode, path: string, what: string): never {
  throw invalidManifest([makeProblem(code, '', { line: 1, column: 1 }, `${quote(path)} ${what}.`)], 'plugin folder');
}
