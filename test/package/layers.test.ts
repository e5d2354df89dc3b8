import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLayerViolations, type LayerViolation } from '../../scripts/check-layers.js';
import { root } from '../../scripts/run.js';

/** Each of these files breaks exactly the rule beside it, in one of the ways in which an import can be written. */
const violating: ReadonlyArray<readonly [file: string, code: string, rule: string]> = [
  ['src/session/upward.ts', "import '../host/plain.js';", 'layer-session'],
  ['src/session/upward-type.ts', "import type { Plain } from '../host/plain.js'; export type A = Plain;", 'layer-session'],
  ['src/session/upward-query.ts', "export type A = import('../host/plain.js').Plain;", 'layer-session'],
  ['src/session/upward-dynamic.ts', "export const a = () => import('../host/plain.js');", 'layer-session'],
  ['src/session/sideways.ts', "export * from '../policy/plain.js';", 'layer-session'],
  ['src/gateway/sideways.ts', "import '../node/plain.js';", 'layer-gateway'],
  ['src/errors/to-root.ts', "import '../root.js';", 'layer-errors'],
  ['src/plugin/index.ts', "export * from '../host/plain.js';", 'layer-entry-plugin'],
  ['src/node/plugin-entry.ts', "export * from '../cli/command.js';", 'layer-entry-node'],
  ['src/surprise/file.ts', 'export const a = 1;\nimport "../errors/plain.js";', 'folder-without-layer'],
  ['src/index.ts', "export * from './testing/uses-memory.js';", 'root-entry-is-neutral'],
  ['transports/stdio/reaches-session.ts', "import '../../src/session/plain.js';", 'transport-uses-contract'],
  ['transports/stdio/reaches-memory.ts', "import '../memory/plain.js';", 'transport-stands-alone'],
  ['src/host/picks-transport.ts', "import '../../transports/memory/plain.js';", 'src-without-transports'],
  ['src/testing/picks-stdio.ts', "import '../../transports/stdio/plain.js';", 'testing-memory-only'],
  ['transports/byte-stream/reaches-unix.ts', "import '../unix/plain.js';", 'transport-stands-alone'],
  ['src/worker/cycle-a.ts', "import type { B } from './cycle-b.js'; export type A = B | 1;", 'no-cycle'],
  ['src/host/by-index.ts', "import '../errors/index.js';", 'no-index-inside'],
  ['src/host/node-module.ts', "import 'node:fs';", 'no-node-in-core'],
  ['src/host/bare-node-module.ts', "import type { Stats } from 'fs'; export type A = Stats;", 'no-node-in-core'],
  ['transports/memory/node-module.ts', "import 'node:net';", 'no-node-in-core'],
  ['src/host/unpacks.ts', "import { unpack } from 'msgpackr'; unpack;", 'only-importer-of-msgpackr'],
  ['src/host/parses.ts', "import 'yaml';", 'only-importer-of-yaml'],
  ['src/worker/validates.ts', "import { z } from 'zod'; z;", 'only-importer-of-zod'],
  ['src/session/makes-ids.ts', "import { nanoid } from 'nanoid'; nanoid;", 'only-importer-of-nanoid'],
  ['transports/stdio/makes-ids.ts', "import { nanoid } from 'nanoid'; nanoid;", 'only-importer-of-nanoid'],
  ['transports/stdio/emits.ts', "import 'eventemitter3';", 'only-importer-of-eventemitter3'],
  ['src/node/commands.ts', "import 'commander';", 'only-importer-of-commander'],
  ['transports/websocket/second.ts', "import 'ws';", 'only-importer-of-ws'],
  ['transports/unix/types.ts', "import type { WebSocket } from 'ws'; export type A = WebSocket;", 'only-importer-of-ws'],
  ['src/cli/second-command.ts', "import 'commander';", 'one-importer-of-commander'],
  ['src/node/unlisted.ts', "import 'tsx';", 'no-other-dependency'],
  ['src/host/nowhere.ts', "import './missing.js';", 'no-unresolvable'],
  ['src/host/test-code.ts', "import '../../test/helper.js';", 'product-stands-alone'],
  ['src/host/own-name.ts', "export type A = import('@synapse/worker-runtime').Logger;", 'no-own-name'],
];

const plain = 'export interface Plain { a: 1 }\nexport const plain = 1;\n';
/** Halves of a cycle that is reported at the other half. */
const bystanders: ReadonlyArray<readonly [file: string, code: string]> = [
  ['src/worker/cycle-b.ts', "import type { A } from './cycle-a.js'; export type B = A | 2;"],
];

const allowed: ReadonlyArray<readonly [file: string, code: string]> = [
  ...['errors', 'session', 'policy', 'host', 'node'].map((folder) => [`src/${folder}/plain.ts`, plain] as const),
  ['transports/memory/plain.ts', plain],
  ['transports/stdio/plain.ts', plain],
  ['transports/byte-stream/plain.ts', plain],
  ['transports/unix/plain.ts', plain],
  ['transports/unix/uses-byte-stream.ts', "import '../byte-stream/plain.js';"],
  ['transports/websocket/ws-package.ts', "import 'ws';"],
  ['test/helper.ts', plain],
  ['src/root.ts', plain],
  ['src/host/create-id.ts', "import 'nanoid';"],
  ['src/errors/index.ts', "export * from './plain.js';"],
  ['src/testing/index.ts', "export * from './uses-memory.js';\nexport * from '../errors/index.js';"],
  ['src/node/index.ts', "export * from '../index.js';"],
  ['src/testing/uses-memory.ts', "import '../../transports/memory/plain.js';\nimport '../host/plain.js';"],
  ['src/node/uses-transports.ts', "import '../../transports/stdio/plain.js';\nimport '../../transports/unix/plain.js';\nimport 'node:fs';"],
  ['src/messages/codec.ts', "import 'msgpackr';"],
  ['src/cli/command.ts', "import 'commander';\nimport 'node:fs';\nimport '../node/plain.js';"],
  ['transports/stdio/uses-contract.ts', "import '../../src/errors/plain.js';\nimport 'node:net';"],
];

describe('[package.layers] the import rules', () => {
  let base: string;
  let violations: LayerViolation[];

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), 'layers-'));
    symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'));
    for (const [file, code] of [...allowed, ...bystanders, ...violating]) {
      mkdirSync(dirname(join(base, file)), { recursive: true });
      writeFileSync(join(base, file), code);
    }
    violations = await findLayerViolations(base);
  }, 30_000);

  afterAll(() => rmSync(base, { recursive: true, force: true }));

  test.each(violating)('%s breaks a rule: %s', (file, _code, rule) => {
    const broken = violations.filter(({ from }) => from === file).map((violation) => violation.rule);
    expect([...new Set(broken)]).toEqual([rule]);
  });

  test('files that keep the rules are not accused', () => {
    expect(violations.filter(({ from }) => allowed.some(([file]) => file === from))).toEqual([]);
  });
});
