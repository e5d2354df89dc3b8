import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { WorkerRuntimeError } from '../errors/worker-runtime-error.js';
import { readDocument } from '../manifest/read-document.js';
import type { SourceNode } from '../manifest/source-tree.js';
import { parsePolicy } from '../policy/parse-policy.js';
import type { Policy } from '../policy/policy.js';

/**
 * Reads a policy document from YAML or JSON text of at most 64 KiB; problems and decisions name its lines.
 * @throws INVALID_POLICY with `details.problems`.
 */
export function parsePolicyText(text: string | Uint8Array, options: { readonly catalogue: CapabilityCatalogue; readonly fileName?: string }): Policy {
  const { tree, problems } = readDocument({ text, fileName: options.fileName });
  const error = problems.find((problem) => problem.severity === 'error');
  if (tree === undefined || error !== undefined) {
    const message = `${options.fileName ?? 'The policy'}, line ${error?.line ?? 1}: ${error?.message ?? 'It cannot be read.'}`;
    throw new WorkerRuntimeError('INVALID_POLICY', message, { details: { problems } });
  }
  return parsePolicy(toValue(tree.root), { ...options, locate: (pointer) => tree.valuePosition(pathOf(pointer)) });
}

function toValue(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.node)]));
}

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((segment) => (/^(0|[1-9]\d*)$/.test(segment) ? Number(segment) : segment));
}
