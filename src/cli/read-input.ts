import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { parsePolicyText } from '../host/parse-policy-text.js';
import { maxManifestBytes } from '../manifest/decode-text.js';
import { readDocument } from '../manifest/read-document.js';
import { plainValue } from '../manifest/source-tree.js';
import type { Policy } from '../policy/policy.js';

/** More than any frame may carry; the session says what is too much for it. */
const maxParamsBytes = 16 * 1024 * 1024;

/**
 * The params of a call: JSON, `@FILE` for the JSON in a file, `-` for the JSON on standard input. Without any, an empty map.
 * @throws INVALID_ARGUMENT
 */
export async function readParams(text: string | undefined): Promise<unknown> {
  if (text === undefined) return {};
  const json = text === '-' ? await readAll('--params', undefined) : text.startsWith('@') ? await readAll('--params', text.slice(1)) : text;
  try {
    return JSON.parse(typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    const where = text === '-' ? ' on standard input' : text.startsWith('@') ? ` in ${text.slice(1)}` : '';
    const why = error instanceof Error ? error.message : String(error);
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `--params: the text${where} is not JSON: ${why}`);
  }
}

/**
 * A configuration from a YAML or JSON file of at most 64 KiB, read as carefully as a manifest. Whether it fits the plugin, its installation says.
 * @throws INVALID_ARGUMENT
 */
export async function readConfig(file: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (file === undefined) return {};
  const { tree, problems } = readDocument({ text: await readAll('--config', file, maxManifestBytes + 1), fileName: basename(file) });
  const problem = problems.find(({ severity }) => severity === 'error');
  if (tree === undefined || problem !== undefined) {
    throw new WorkerRuntimeError(
      'INVALID_ARGUMENT',
      `--config: ${file}:${problem?.line ?? 1}:${problem?.column ?? 1}: ${problem?.message ?? 'It cannot be read.'}`,
    );
  }
  return plainValue(tree.root) as Readonly<Record<string, unknown>>;
}

/**
 * A policy from a YAML or JSON file of at most 64 KiB. Without one nothing is granted by itself.
 * @throws INVALID_ARGUMENT, INVALID_POLICY
 */
export async function readPolicy(file: string | undefined, catalogue: CapabilityCatalogue): Promise<Policy> {
  if (file === undefined) return { rules: [] };
  return parsePolicyText(await readAll('--policy', file, maxManifestBytes + 1), { catalogue, fileName: file });
}

/** A whole file, or standard input where none is named. What exceeds the limit is refused, or cut where `cutAt` says so. */
async function readAll(option: string, file: string | undefined, cutAt?: number): Promise<Uint8Array> {
  const limit = cutAt ?? maxParamsBytes;
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    const handle = file === undefined ? undefined : await open(file, 'r');
    const stream: AsyncIterable<Uint8Array> = handle?.createReadStream() ?? process.stdin;
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > limit) break;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${option}: ${file ?? 'standard input'} cannot be read (${code}).`, { cause: error });
  }
  if (length > limit && cutAt === undefined) {
    throw new WorkerRuntimeError('INVALID_ARGUMENT', `${option}: ${file ?? 'standard input'} has more than ${limit} bytes.`);
  }
  return Buffer.concat(chunks).subarray(0, limit);
}
