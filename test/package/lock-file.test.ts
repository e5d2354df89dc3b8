import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/run.js';

type Dependencies = Readonly<Record<string, string>>;
interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly resolved?: string; readonly dependencies?: Dependencies; readonly devDependencies?: Dependencies }>
  >;
}

const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));

test('the lock file names no registry host', () => {
  const { packages } = read('package-lock.json') as LockFile;
  expect(Object.keys(packages).length).toBeGreaterThan(100);
  expect(Object.keys(packages).filter((name) => packages[name]?.resolved !== undefined)).toEqual([]);
});

test('the lock file belongs to package.json', () => {
  const { dependencies, devDependencies } = read('package.json') as LockFile['packages'][string];
  expect((read('package-lock.json') as LockFile).packages['']).toMatchObject({ dependencies, devDependencies });
});
