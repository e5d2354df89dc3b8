import type { CapabilityCatalogue } from '../capabilities/capability.js';
import { nearest } from '../errors/nearest.js';
import { type Checked, subject } from './check-shape.js';
import type { ManifestCapabilityRequest } from './manifest.js';
import type { ManifestFile } from './manifest-schema.js';
import { type Path, toPointer } from './pointer.js';
import type { ProblemList } from './problem-list.js';
import { quote } from './quote.js';
import { checkPrintable } from './read-identity.js';
import { readPermissions } from './read-permissions.js';
import type { SourceTree } from './source-tree.js';

type WrittenRequest = Readonly<Record<string, unknown>> & { readonly capability?: string; readonly reason?: string; readonly optional?: boolean };
const ownFields = ['capability', 'reason', 'optional'];

/** The capability requests of all three places, in the order of the document. */
export function readRequests(
  file: Checked<ManifestFile>,
  catalogue: CapabilityCatalogue,
  tree: SourceTree,
  problems: ProblemList,
): ManifestCapabilityRequest[] {
  const reader = new RequestReader(catalogue, tree, problems);
  const shorthand = Array.isArray(file.capabilities) ? file.capabilities : [];
  const requests = [
    ...reader.readList(file.requires?.capabilities ?? [], ['requires', 'capabilities'], 'requires'),
    ...reader.readList(shorthand, ['capabilities'], 'shorthand'),
    ...readPermissions(file, catalogue, tree, problems),
  ];
  return requests.sort((left, right) => left.line - right.line);
}

/** The features of a map `capabilities`; they grant nothing. */
export function readFeatures(file: Checked<ManifestFile>): Record<string, boolean> {
  if (file.capabilities === undefined || Array.isArray(file.capabilities)) return {};
  return Object.fromEntries(Object.entries(file.capabilities).filter((entry): entry is [string, boolean] => typeof entry[1] === 'boolean'));
}

class RequestReader {
  readonly #catalogue: CapabilityCatalogue;
  readonly #tree: SourceTree;
  readonly #problems: ProblemList;

  constructor(catalogue: CapabilityCatalogue, tree: SourceTree, problems: ProblemList) {
    this.#catalogue = catalogue;
    this.#tree = tree;
    this.#problems = problems;
  }

  readList(list: readonly unknown[], path: Path, origin: 'requires' | 'shorthand'): ManifestCapabilityRequest[] {
    return list.flatMap((item, index) => {
      if (typeof item === 'string') return this.#read({ capability: item }, [...path, index], origin);
      return typeof item === 'object' && item !== null ? this.#read(item as WrittenRequest, [...path, index], origin) : [];
    });
  }

  #read(written: WrittenRequest, path: Path, origin: 'requires' | 'shorthand'): ManifestCapabilityRequest[] {
    const { capability: name, reason, optional = false } = written;
    if (name === undefined) return [];
    // A request may be one text, which then is the place of the name.
    const namePath = this.#tree.nodeAt(path)?.kind === 'map' ? [...path, 'capability'] : path;
    const capability = this.#catalogue.get(name);
    if (capability === undefined) {
      this.#problems.add('UNKNOWN_CAPABILITY', namePath, this.#unknownCapability(name));
      return [];
    }
    checkPrintable(reason, [...path, 'reason'], this.#problems, true);
    const parsed = capability.parseScope(
      Object.fromEntries(Object.entries(written).filter(([key, value]) => !ownFields.includes(key) && value !== undefined)),
    );
    if ('problems' in parsed) {
      for (const problem of parsed.problems)
        this.#problems.add('INVALID_SCOPE', [...path, ...problem.path], `${subject([...path, ...problem.path])}: ${problem.message}`);
      return [];
    }
    const { line } = this.#tree.valuePosition(path);
    return [
      {
        capability: name,
        scope: parsed.scope,
        // One line, whatever was written: it stands in lists that an operator decides by, where a line break could forge an entry.
        ...(reason === undefined ? {} : { reason: reason.replace(/\s+/g, ' ').trim() }),
        optional,
        origin,
        path: toPointer(path),
        line,
        alwaysNeedsApproval: false,
      },
    ];
  }

  #unknownCapability(name: string): string {
    const suggestion = nearest(name, this.#catalogue.names);
    const repair = suggestion === undefined ? `those of this host are ${this.#catalogue.names.join(', ')}` : `did you mean ${suggestion}`;
    return `There is no capability ${quote(name)}; ${repair}${suggestion === undefined ? '.' : '?'}`;
  }
}
