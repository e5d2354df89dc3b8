import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/run.js';
import { libraryEntries, neutralEntries } from '../../tsup.config.js';

const require = createRequire(import.meta.url);
const dist = join(root, 'dist');
const formats = ['js', 'cjs'] as const;

/** The built file and everything of `dist` that it loads, each with what it imports. */
function closureOf(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const queue = [join(dist, file)];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const key = relative(dist, path);
    if (found.has(key)) continue;
    const imports = ts.preProcessFile(readFileSync(path, 'utf8'), true, true).importedFiles.map(({ fileName }) => fileName);
    found.set(key, imports);
    queue.push(...imports.filter((name) => name.startsWith('.')).map((name) => join(dirname(path), name)));
  }
  return found;
}

describe('[package.neutral-entries] neutral entries reach no Node module', () => {
  test.each(neutralEntries.flatMap((entry) => formats.map((format) => `${entry}.${format}`)))('%s', (file) => {
    const reached = [...closureOf(file)].flatMap(([from, imports]) =>
      imports.filter((name) => isBuiltin(name)).map((name) => `${from} imports ${name}`),
    );
    expect(reached).toEqual([]);
  });

  test('nor name one in a way that the import scanner does not see', () => {
    const files = new Set(neutralEntries.flatMap((entry) => formats.flatMap((format) => [...closureOf(`${entry}.${format}`).keys()])));
    expect(files.size).toBeGreaterThanOrEqual(neutralEntries.length * formats.length);
    expect([...files].filter((file) => /['"`]node:/.test(readFileSync(join(dist, file), 'utf8')))).toEqual([]);
  });
});

describe('[package.one-copy] what two entries export under one name is one thing', () => {
  type Exports = Record<string, unknown>;
  const loaded = { js: new Map<string, Exports>(), cjs: new Map<string, Exports>() };

  beforeAll(async () => {
    for (const entry of Object.keys(libraryEntries)) {
      loaded.js.set(entry, (await import(join(dist, `${entry}.js`))) as Exports);
      loaded.cjs.set(entry, require(join(dist, `${entry}.cjs`)) as Exports);
    }
  });

  test.each(formats)('%s', (format) => {
    const first = new Map<string, { entry: string; value: unknown }>();
    const copies: string[] = [];
    for (const [entry, exports] of loaded[format]) {
      for (const [name, value] of Object.entries(exports)) {
        const known = first.get(name);
        if (known === undefined) first.set(name, { entry, value });
        else if (known.value !== value) copies.push(`${name} of ${known.entry} and of ${entry}`);
      }
    }
    expect(first.size).toBeGreaterThan(0);
    expect(copies).toEqual([]);
  });

  test('both formats export the same names', () => {
    for (const entry of Object.keys(libraryEntries)) {
      const names = (exports?: Exports) =>
        Object.keys(exports ?? {})
          .filter((name) => name !== 'default' && name !== '__esModule' && name !== 'module.exports')
          .sort();
      expect(names(loaded.cjs.get(entry)), entry).toEqual(names(loaded.js.get(entry)));
    }
  });

  test('an error of one format is recognised by the other', () => {
    type Errors = { WorkerRuntimeError: new (code: string, message: string) => Error; isWorkerRuntimeError(value: unknown): boolean };
    const [esm, cjs] = [loaded.js.get('index') as Errors, loaded.cjs.get('index') as Errors];
    expect(esm.WorkerRuntimeError).not.toBe(cjs.WorkerRuntimeError);
    expect(esm.isWorkerRuntimeError(new cjs.WorkerRuntimeError('CANCELLED', 'x'))).toBe(true);
    expect(cjs.isWorkerRuntimeError(new esm.WorkerRuntimeError('CANCELLED', 'x'))).toBe(true);
  });
});
