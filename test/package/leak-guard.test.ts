import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, run } from '../../scripts/run.js';

/** Test files that pass by themselves and leave something behind; the text that must accuse them. */
const leaking: ReadonlyArray<readonly [name: string, body: string, accusation: string]> = [
  ['process', "spawn('sleep', ['60'], { stdio: 'ignore' }).unref();", 'the process \\d+ .sleep 60.'],
  [
    'grandchild',
    "const child = spawn('sh', ['-c', 'sleep 61 & exit 0'], { detached: true, stdio: 'ignore' }); await new Promise((done) => child.on('exit', done));",
    'the process \\d+ .sleep. of the group of child',
  ],
  ['timer', 'setTimeout(() => {}, 60_000);', '- 1 × Timeout'],
  ['socket', "await new Promise((done) => createServer().listen(0, '127.0.0.1', () => done(undefined)));", '- 1 × TCP\\w+Wrap'],
  ['descriptor', "openSync('/etc/hostname', 'r');", 'the descriptor \\d+ → /etc/hostname'],
  ['file', "writeFileSync(join(tmpdir(), 'left-over.txt'), '');", 'the temporary file or folder left-over.txt'],
  ['rejection', "void Promise.reject(new Error('nobody heard'));", 'Error: nobody heard'],
];

describe('[package.leak-guard] a test file that leaves something behind fails the run', () => {
  const folder = join(root, 'build', `leak-guard-${process.pid}`);
  const reports = new Map<string, string>();

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    const imports = [
      "import { spawn } from 'node:child_process'; import { openSync, writeFileSync } from 'node:fs'; import { createServer } from 'node:net';",
      "import { tmpdir } from 'node:os'; import { join } from 'node:path'; import { test } from 'vitest';",
      'void [spawn, openSync, writeFileSync, createServer, tmpdir, join];',
    ].join('\n');
    for (const [name, body] of [
      ...leaking,
      ['nothing', "await new Promise((done) => spawn('true').on('close', done)); setTimeout(() => {}, 5);"] as const,
    ]) {
      writeFileSync(join(folder, `${name}.test.ts`), `${imports}\ntest('passes', async () => { ${body} });\n`);
    }
    const setup = JSON.stringify(join(root, 'test/helpers/vitest-setup.ts'));
    writeFileSync(
      join(folder, 'vitest.config.ts'),
      `export default { test: { pool: 'forks', maxWorkers: 2, reporters: ['verbose'], setupFiles: [${setup}] } };\n`,
    );
    const { ok, output } = await run(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder], {
      env: { ...process.env, NO_COLOR: '1', LEAK_GRACE_MS: '300' },
    });
    reports.set('ok', String(ok)).set('output', output);
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(leaking)('%s', (_name, _body, accusation) => {
    expect(reports.get('output')).toMatch(new RegExp(accusation));
  });

  test('and only such a file', () => {
    expect(reports.get('ok')).toBe('false');
    expect(reports.get('output')).toMatch(/FAIL .*timer\.test\.ts/);
    expect(reports.get('output')).not.toMatch(/FAIL .*nothing\.test\.ts/);
  });
});
