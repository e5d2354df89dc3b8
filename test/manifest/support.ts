import { readFileSync } from 'node:fs';
import { builtinCapabilities, createCatalogue } from '../../src/capabilities/index.js';
import { type ManifestResult, type Problem, type ProblemCode, safeParseManifest } from '../../src/manifest/index.js';

export const catalogue = createCatalogue(builtinCapabilities);

/** The least that a manifest needs, to be completed by a test. Five lines. */
export const required = 'id: a\nname: A\nauthor: me\ntype: channel\nversion: 1.0.0\n';
/** The same with a runtime, so that no warning is left. Seven lines. */
export const runnable = `${required}runtime:\n  type: external\n`;

export function parse(text: string | Uint8Array, fileName?: string): ManifestResult {
  return safeParseManifest({ text, fileName }, { catalogue });
}

/** The problems of one code. */
export function problemsOf(text: string | Uint8Array, code: ProblemCode): readonly Problem[] {
  return parse(text).problems.filter((problem) => problem.code === code);
}

export function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url));
}
