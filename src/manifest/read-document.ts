import { decodeText } from './decode-text.js';
import type { Problem } from './problem.js';
import { readJson } from './read-json.js';
import { ReadFailure, ReadReport } from './read-report.js';
import { readYaml } from './read-yaml.js';
import type { SourceTree } from './source-tree.js';

/** A manifest as it comes: its text, and the name of its file where there is one. */
export interface ManifestInput {
  /** Text, or the bytes of a UTF-8 file; at most 65,536 bytes are read. */
  readonly text: string | Uint8Array;
  /** Says the format by its extension (`.json`, `.yml`, `.yaml`); otherwise the content does. */
  readonly fileName?: string | undefined;
}

/** What reading gave. Without a tree the text is unreadable; with one, the problems are of a kind that leaves the rest checkable. */
export interface ReadResult {
  readonly tree?: SourceTree;
  readonly problems: readonly Problem[];
}

/** Reads YAML or JSON into a tree whose root is a map. Never throws. */
export function readDocument(input: ManifestInput): ReadResult {
  const decoded = decodeText(input.text);
  if ('problem' in decoded) return { problems: [decoded.problem] };
  const report = new ReadReport(decoded.text);
  try {
    const tree = isJson(decoded.text, input.fileName) ? readJson(decoded.text, report) : readYaml(decoded.text, report);
    if (tree.root.kind === 'map') return { tree, problems: report.problems };
    const empty = tree.root.kind === 'scalar' && tree.root.value === null;
    report.note(empty ? 'EMPTY_DOCUMENT' : 'NOT_A_MAP', tree.root.offset, 'The document must be a map of fields, as id: my-plugin.');
  } catch (thrown) {
    if (!(thrown instanceof ReadFailure)) throw thrown;
  }
  return { problems: report.problems };
}

function isJson(text: string, fileName: string | undefined): boolean {
  if (fileName !== undefined && /\.json$/i.test(fileName)) return true;
  if (fileName !== undefined && /\.ya?ml$/i.test(fileName)) return false;
  if (!/^\s*[[{]/.test(text)) return false;
  // A flow map of YAML looks alike. JSON.parse keeps no stack of its own, so that depth does not matter here.
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
