import { defineConfig } from 'tsup';

/** Published entry → source file. `package.json` names the outputs under `exports`; `scripts/check-package.ts` loads each of them. */
export const libraryEntries = {
  index: 'src/index.ts',
  'node/index': 'src/node/index.ts',
  'plugin/index': 'src/plugin/index.ts',
  'plugin/node': 'src/node/plugin-entry.ts',
  'testing/index': 'src/testing/index.ts',
  'transports/memory/index': 'transports/memory/index.ts',
  'transports/stdio/index': 'transports/stdio/index.ts',
  'transports/thread/index': 'transports/thread/index.ts',
  'transports/unix/index': 'transports/unix/index.ts',
  'transports/websocket/index': 'transports/websocket/index.ts',
};

/** Built entries which must run outside Node too: none of their files may name a Node module. */
export const neutralEntries = [
  'index',
  'plugin/index',
  'testing/index',
  'transports/memory/index',
] as const satisfies readonly (keyof typeof libraryEntries)[];

/** Packages that are copied into the build instead of being installed beside it; their licences travel in `dist`. */
export const bundledPackages = ['nanoid'];

export default defineConfig({
  entry: { ...libraryEntries, 'cli/main': 'src/cli/main.ts' },
  format: ['esm', 'cjs'],
  target: 'node20',
  // One config for all entries, and splitting on for CommonJS too: a class exists once per format, so `instanceof` holds across entries.
  splitting: true,
  dts: { entry: libraryEntries },
  tsconfig: 'tsconfig.build.json',
  // nanoid is ESM only. Bundled, CommonJS consumers need no require(esm); by its `browser` condition, the neutral entries need no node:crypto.
  noExternal: bundledPackages,
  esbuildOptions(options) {
    options.conditions = ['browser'];
  },
  // The output is neither minified nor mangled: stack traces are readable without maps.
  sourcemap: false,
  removeNodeProtocol: false,
  silent: true,
});
