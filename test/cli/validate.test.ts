import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { root } from '../../scripts/run.js';
import { builtinCapabilities } from '../../src/capabilities/builtin-capabilities.js';
import { createCatalogue } from '../../src/capabilities/catalogue.js';
import { defineCapability } from '../../src/capabilities/define-capability.js';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import { validateConfig } from '../../src/manifest/validate-config.js';
import { checkPlugin } from '../../src/node/check-plugin.js';
import { createNodeHost } from '../../src/node/create-node-host.js';
import { cli, cliJson } from './run-cli.js';

vi.setConfig({ testTimeout: 60_000 });

const identity = 'id: sample\nname: Sample\nauthor: tests\ntype: skill\nversion: 1.0.0\n';
const runtime = 'runtime:\n  type: nodejs\n  entry: main.js\n';

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'validate-'));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(temporary, name);
  mkdirSync(path);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
  return path;
}

describe.concurrent('[cli.validate] the command', () => {
  test('says of a valid plugin that it is, and exits with 0', async () => {
    expect(await cli('validate', 'plugins/workbench')).toEqual({ status: 0, stdout: 'workbench 1.2.3 is valid.\n', stderr: '' });
  });

  test('prints exactly { valid, manifest, problems } with --json', async () => {
    const { status, json, stderr } = await cliJson('validate', 'plugins/mailer');
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(Object.keys(json as object)).toEqual(['valid', 'manifest', 'problems']);
    expect(json).toMatchObject({
      valid: true,
      manifest: { id: 'mailer', version: '1.0.0', runtime: { entry: 'main.js' }, requests: [{ capability: 'events.publish' }, { optional: true }] },
      problems: [],
    });
  });

  test('lists each problem with file, line, column, severity and code, and exits with 1', async () => {
    const path = folder('wrong', {
      'manifest.yml': `${identity}licence: MIT\nrequires:\n  capabilities:\n    - capability: event.publish\n${runtime}`,
    });
    const { status, stdout } = await cli('validate', path);
    expect(status).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/\/wrong\/manifest\.yml:6:1 warning UNKNOWN_FIELD .*license/);
    expect(lines[1]).toMatch(/\/wrong\/manifest\.yml:9:19 error UNKNOWN_CAPABILITY .*events\.publish/);
    expect(lines[2]).toMatch(/\/wrong\/manifest\.yml:12:10 error ENTRY_NOT_FOUND /);
    expect(lines[3]).toMatch(/\/wrong is not valid: 2 errors, 1 warning\.$/);

    const { status: statusOfJson, json } = await cliJson('validate', path);
    expect(statusOfJson).toBe(1);
    const { manifest, valid, problems } = json as { manifest: unknown; valid: boolean; problems: readonly object[] };
    expect({ manifest, valid }).toEqual({ manifest: null, valid: false });
    for (const problem of problems) expect(Object.keys(problem)).toEqual(['severity', 'code', 'path', 'line', 'column', 'message']);
    expect(problems[1]).toMatchObject({
      severity: 'error',
      code: 'UNKNOWN_CAPABILITY',
      path: '/requires/capabilities/0/capability',
      line: 9,
      column: 19,
    });
  });

  test('checks the manifest alone where a file is named, and says so', async () => {
    const path = join(folder('alone', { 'plugin.yml': identity + runtime }), 'plugin.yml');
    const result = await cliJson('validate', path);
    expect(result).toMatchObject({ status: 0, json: { valid: true, problems: [] } });
    expect(result.stderr).toMatch(/^Only the manifest was checked\./);
  });

  test('exits with 2 for a path that leads nowhere, with the problem that install would name', async () => {
    expect(await cliJson('validate', join(temporary, 'nowhere'))).toMatchObject({
      status: 2,
      json: { valid: false, manifest: null, problems: [{ code: 'FOLDER_UNREADABLE', path: '', line: 1, column: 1 }] },
    });
  });

  test.each([[[]], [['validate']], [['validate', '.', '--jsn']], [['validate', 'a', 'b']], [['check']]])(
    'exits with 2 when it is called as %j',
    async (args) => {
      const { status, stdout, stderr } = await cli(...args);
      expect(status).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).not.toBe('');
    },
  );

  test('lets no manifest and no file name command the terminal', async () => {
    const path = folder('named \u001b[31m\u009b', { 'manifest.yml': `${identity}"x\\u009b\\e[2J\\u202e": 1\n"line\\nid:1:1 error FORGED": 1\n` });
    for (const args of [
      ['validate', path],
      ['validate', path, '--json'],
    ]) {
      const { status, stdout, stderr } = await cli(...args);
      expect(status).toBe(0);
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(stdout).not.toMatch(/^id:1:1/m);
    }
  });
});

describe('[cli.validate] the problems are those of host.install', () => {
  async function installProblems(path: string): Promise<unknown> {
    const host = createNodeHost();
    try {
      await host.install(path);
      return [];
    } catch (error) {
      if (isWorkerRuntimeError(error, 'INVALID_MANIFEST')) return error.details.problems;
      // A valid plugin whose configuration has required values.
      if (isWorkerRuntimeError(error, 'INVALID_CONFIG')) return [];
      throw error;
    } finally {
      await host.stop();
    }
  }

  const manifests = join(root, 'test/manifest/fixtures');
  test.each(readdirSync(manifests).filter((name) => /\.(ya?ml|json)$/.test(name)))(
    'for the manifest %s, and for spoiled versions of it',
    async (name) => {
      const text = readFileSync(join(manifests, name), 'utf8');
      const json = name.endsWith('.json');
      const versions = [
        text,
        text.slice(0, text.length >> 1),
        text.replace(/version/, 'vresion'),
        text.replaceAll(/[.]/g, '. '),
        `${text}${json ? '}' : '\n: :\n- a\n'}`,
      ];
      for (const [index, version] of versions.entries()) {
        const path = folder(`${name}-${index}`, { [json ? 'manifest.json' : 'manifest.yml']: version });
        const check = await checkPlugin(path);
        const errors = check.problems.filter(({ severity }) => severity === 'error');
        expect(check.valid, path).toBe(errors.length === 0);
        expect(await installProblems(path), path).toEqual(check.valid ? [] : check.problems);
        if (check.manifest !== undefined)
          expect(validateConfig(check.manifest.configSchema).problems.every(({ code }) => code === 'CONFIG_MISSING')).toBe(true);
      }
    },
  );

  test('for what is wrong with a folder', async () => {
    const empty = folder('empty', {});
    const file = join(folder('file', { 'a.txt': '' }), 'a.txt');
    const notExecutable = folder('not-executable', { 'manifest.yml': `${identity}runtime: { type: executable, entry: run }\n`, run: '' });
    chmodSync(join(notExecutable, 'run'), 0o644);
    for (const [path, code] of [
      [empty, 'MANIFEST_NOT_FOUND'],
      [notExecutable, 'ENTRY_NOT_EXECUTABLE'],
      [join(temporary, 'nowhere'), 'FOLDER_UNREADABLE'],
    ] as const) {
      const { problems } = await checkPlugin(path);
      expect(problems).toMatchObject([{ code }]);
      expect(await installProblems(path)).toEqual(problems);
    }
    expect(await checkPlugin(file)).toMatchObject({ valid: false, checked: 'manifest', file, problems: [{ code: 'EMPTY_DOCUMENT' }] });
  });

  test('a capability of an embedder is known where its catalogue is given, and an error on the command line', async () => {
    const path = folder('embedder', { 'manifest.yml': `${identity}capabilities: [{ capability: mail.send }]\n` });
    const mailSend = defineCapability({ name: 'mail.send', risk: 'high', sentence: 'send mail', scope: {} });
    expect(await checkPlugin(path, { catalogue: createCatalogue([...builtinCapabilities, mailSend]) })).toMatchObject({ valid: true });
    expect(await checkPlugin(path)).toMatchObject({ valid: false, problems: [{ code: 'NO_RUNTIME' }, { code: 'UNKNOWN_CAPABILITY' }] });
  });
});
