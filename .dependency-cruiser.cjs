// The import rules of the house. `npm run lint` runs them (scripts/check-layers.ts), test/package/layers.test.ts proves that each can fail.

/** Folder of src → its layer. A folder imports lower layers only; equal layers never import each other. */
const layers = {
  errors: 0,
  interfaces: 1,
  frames: 2,
  messages: 3,
  capabilities: 3,
  manifest: 4,
  session: 4,
  policy: 4,
  worker: 5,
  plugin: 5,
  services: 6,
  host: 7,
  testing: 8,
  node: 8,
  gateway: 8,
  cli: 9,
};

/** What a transport may use of src: the contract that it implements, and the framer. */
const highestLayerForTransports = layers.frames;

/**
 * Outside dependency → where it may be imported. A package that is not in this table may not be imported at all.
 * All but `severalFiles` have exactly one importing file: scripts/check-layers.ts refuses a second one.
 */
const importers = {
  commander: { files: '^src/cli/' },
  eventemitter3: { files: '^src/host/notifications[.]ts$' },
  msgpackr: { files: '^src/messages/codec[.]ts$' },
  nanoid: { files: '^src/host/create-id[.]ts$' },
  ws: { files: '^transports/websocket/ws-package[.]ts$' },
  yaml: { files: '^src/manifest/read-yaml[.]ts$' },
  zod: { files: '^src/(manifest|policy|services|plugin/kinds)/', severalFiles: true },
};

/** Files that are published entries: they alone may re-export the index.ts of folders. */
const entries = '^(src/index|src/node/plugin-entry|src/(node|plugin|testing)/index|transports/[^/]+/index)[.]ts$';

/** Where Node may be named. Everything else is the neutral core. */
const nodeSide = '^(src/(node|cli|gateway)/|transports/(?!memory/))';

const foldersAtOrAbove = (layer, except) =>
  Object.keys(layers)
    .filter((folder) => layers[folder] >= layer && folder !== except)
    .join('|');

const error = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

module.exports = {
  layers,
  importers,
  forbidden: [
    ...Object.entries(layers).map(([folder, layer]) =>
      error(
        `layer-${folder}`,
        `src/${folder} is layer ${layer}: it may import lower layers only.`,
        { path: `^src/${folder}/`, pathNot: entries },
        { path: `^src/((${foldersAtOrAbove(layer, folder)})/|[^/]+[.]ts$)` },
      ),
    ),
    // An entry may gather the index files of its own and of lower layers; one above the host may pass on all of src/index.ts.
    ...['node', 'plugin', 'testing'].map((folder) =>
      error(
        `layer-entry-${folder}`,
        `The entry of src/${folder} re-exports its own and lower layers only.`,
        { path: `^src/${folder}/(index|plugin-entry)[.]ts$` },
        { path: `^src/(${foldersAtOrAbove(layers[folder], folder)})/` },
      ),
    ),
    error(
      'folder-without-layer',
      'A folder of src must have a layer in .dependency-cruiser.cjs.',
      { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(layers).join('|')})/` },
      {},
    ),
    error('plugin-stays-small', 'The plugin author does not get the host.', { path: '^src/plugin/' }, { path: '^src/index[.]ts$' }),
    error(
      'root-entry-is-neutral',
      'src/index.ts re-exports the neutral core: not testing, node, gateway, cli or a transport.',
      { path: '^src/index[.]ts$' },
      { path: '^(src/(testing|node|gateway|cli)/|transports/)' },
    ),
    error(
      'transport-uses-contract',
      'A transport imports src/errors, src/interfaces and src/frames only.',
      { path: '^transports/' },
      {
        path: '^src/',
        pathNot: `^src/(${Object.keys(layers)
          .filter((folder) => layers[folder] <= highestLayerForTransports)
          .join('|')})/`,
      },
    ),
    error(
      'transport-stands-alone',
      'A transport does not import another one; what those over byte streams share is in byte-stream.',
      { path: '^transports/([^/]+)/' },
      { path: '^transports/', pathNot: '^transports/($1|byte-stream)/' },
    ),
    error(
      'src-without-transports',
      'The embedder passes transports in. Only src/testing knows the memory transport, and src/node, where the parts of a real host are put together, all.',
      { path: '^src/', pathNot: '^src/(testing|node)/' },
      { path: '^transports/' },
    ),
    error(
      'testing-memory-only',
      'src/testing knows the memory transport only.',
      { path: '^src/testing/' },
      { path: '^transports/', pathNot: '^transports/memory/' },
    ),
    error('no-cycle', 'No cycles, type-only ones included.', { path: '^(src|transports)/' }, { circular: true }),
    error(
      'no-index-inside',
      'An index.ts serves the outside of its folder; inside the project import the file itself.',
      { path: '^(src|transports)/', pathNot: entries },
      { path: '(^|/)index[.]ts$', pathNot: 'node_modules' },
    ),
    error(
      'no-node-in-core',
      'Node modules belong to src/node, src/cli, src/gateway and the transports other than memory.',
      { path: '^(src|transports)/', pathNot: nodeSide },
      { dependencyTypes: ['core'] },
    ),
    ...Object.entries(importers).map(([name, { files }]) =>
      error(
        `only-importer-of-${name}`,
        `${name} is imported by ${files} only.`,
        { path: '^(src|transports)/', pathNot: files },
        { path: `(^|/)node_modules/${name}/` },
      ),
    ),
    error(
      'no-other-dependency',
      'A package must be listed with its importing file in .dependency-cruiser.cjs.',
      { path: '^(src|transports)/' },
      { path: '(^|/)node_modules/', pathNot: `(^|/)node_modules/(${Object.keys(importers).join('|')}|@types/node)/` },
    ),
    error(
      'no-unresolvable',
      'The import leads nowhere.',
      { path: '^(src|transports)/' },
      { couldNotResolve: true, pathNot: '^@synapse/worker-runtime' },
    ),
    error(
      'product-stands-alone',
      'src and transports import neither the build nor tests, scripts, examples or benches.',
      { path: '^(src|transports)/' },
      { path: '^(dist|build|test|scripts|examples|bench|sdk|schema)/' },
    ),
  ],
  options: {
    // Type-only imports count: a cycle or an upward reference of types is one too.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'], extensions: ['.ts', '.js', '.json'] },
  },
};
