import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { maxManifestBytes } from '../manifest/decode-text.js';
import { manifestDigest } from '../manifest/manifest-digest.js';
import { readDocument } from '../manifest/read-document.js';
import { nodePlatform } from './node-platform.js';

const fileNames = ['manifest.yml', 'manifest.yaml', 'manifest.json'] as const;

/** The manifest of a plugin that dials in. */
export interface OwnManifest {
  readonly id: string;
  readonly version: string;
  /** SHA-256 of the file's bytes, 64 lower-case hex digits. */
  readonly digest: string;
  readonly text: string;
}

/**
 * Reads the manifest of this program: at `location`, else where `SYNAPSE_WORKER_MANIFEST` says, else `manifest.yml`, `.yaml` or `.json` beside the program's
 * main file. Only its `id` and `version` are looked at; the host checks all of it.
 * @throws WorkerRuntimeError `INVALID_MANIFEST` if there is none, or it has no id and version.
 */
export async function readOwnManifest(location: string | URL | undefined): Promise<OwnManifest> {
  const { file, bytes } = await find(location ?? process.env.SYNAPSE_WORKER_MANIFEST);
  if (bytes.length > maxManifestBytes) throw invalid(`${file} has ${bytes.length} bytes; a manifest has at most ${maxManifestBytes}.`);
  const { tree, problems } = readDocument({ text: bytes, fileName: file });
  const [id, version] = (['id', 'version'] as const).map((name) => {
    const node = tree?.nodeAt([name]);
    return node?.kind === 'scalar' && node.value !== null ? node.source : undefined;
  });
  if (id === undefined || version === undefined) throw invalid(`${file} has no id and version. ${problems[0]?.message ?? ''}`.trim());
  return { id, version, digest: manifestDigest(bytes, nodePlatform().crypto), text: bytes.toString('utf8') };
}

async function find(location: string | URL | undefined): Promise<{ readonly file: string; readonly bytes: Buffer }> {
  const named = location instanceof URL ? fileURLToPath(location) : location;
  const folder = dirname(process.argv[1] ?? '.');
  const candidates = named === undefined ? fileNames.map((name) => join(folder, name)) : [named];
  for (const file of candidates) {
    try {
      return { file, bytes: await readFile(file) };
    } catch (error) {
      if (named !== undefined || (error as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw new WorkerRuntimeError('INVALID_MANIFEST', `The manifest ${file} cannot be read: ${(error as Error).message}`, { cause: error });
      }
    }
  }
  throw invalid(
    `There is no manifest in ${folder}; a worker that dials in says which one it runs. Pass { manifest } to serve, or set SYNAPSE_WORKER_MANIFEST.`,
  );
}

function invalid(message: string): WorkerRuntimeError {
  return new WorkerRuntimeError('INVALID_MANIFEST', message);
}
