import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { arena, canary, expectHarmless } from './arena.js';
import { rejection } from './hostile-frames.js';

const worker = fileURLToPath(new URL('../fixtures/programs/hostile-worker.py', import.meta.url));
const head = 'name: N\nauthor: a\ntype: skill\nversion: 1.0.0\n';

interface Problem {
  readonly code: string;
  readonly message: string;
}

describe('folders and manifests of an attacker', () => {
  const field = arena();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plugin-'));
    await copyFile(worker, join(folder, 'main.py'));
    await writeFile(join(folder, 'manifest.yml'), `id: folder\n${head}runtime: { type: python, entry: main.py }\n`);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const problemsOf = async (install: Promise<unknown>): Promise<readonly Problem[]> => {
    const began = performance.now();
    const error = await rejection(install);
    expect(error.code).toBe('INVALID_MANIFEST');
    expect(performance.now() - began).toBeLessThan(1_500);
    expectHarmless(error.message);
    const { problems } = (error as unknown as { details: { problems: readonly Problem[] } }).details;
    expectHarmless(problems);
    for (const { message } of problems) expect(message).not.toContain('\n');
    return problems;
  };

  test.each<[string, string, () => Promise<unknown> | unknown]>([
    ['a pipe', 'SPECIAL_FILE', () => execFileSync('mkfifo', [join(folder, 'pipe')])],
    [
      'a pipe for a manifest',
      'SPECIAL_FILE',
      () => rm(join(folder, 'manifest.yml')).then(() => execFileSync('mkfifo', [join(folder, 'manifest.yml')])),
    ],
    ['a link to the password file', 'LINK_OUTSIDE_FOLDER', () => symlink('/etc/passwd', join(folder, 'data'))],
    [
      'a link for a manifest',
      'LINK_OUTSIDE_FOLDER',
      () => rm(join(folder, 'manifest.yml')).then(() => symlink('/etc/hostname', join(folder, 'manifest.yml'))),
    ],
    ['a link to itself', 'LINK_OUTSIDE_FOLDER', () => symlink('loop', join(folder, 'loop'))],
    ['a link to a sibling whose name begins alike', 'LINK_OUTSIDE_FOLDER', () => symlink(`${folder}-other/x`, join(folder, 'sibling'))],
    ['an environment that is a link to elsewhere', 'LINK_OUTSIDE_FOLDER', () => symlink('/usr', join(folder, '.venv'))],
    [
      'a library of the environment that is a link to elsewhere',
      'LINK_OUTSIDE_FOLDER',
      () => mkdir(join(folder, '.venv/bin'), { recursive: true }).then(() => symlink('/bin/sh', join(folder, '.venv/bin/pip'))),
    ],
    [
      'an interpreter that is a folder elsewhere',
      'LINK_OUTSIDE_FOLDER',
      () => mkdir(join(folder, '.venv/bin'), { recursive: true }).then(() => symlink('/etc', join(folder, '.venv/bin/python'))),
    ],
    ['a name that is no UTF-8', 'FOLDER_UNREADABLE', () => writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]), 'x')],
    ['folders in folders in folders', 'FOLDER_TOO_LARGE', () => mkdir(join(folder, 'd/'.repeat(40)), { recursive: true })],
    ['a link whose name forges a line', 'LINK_OUTSIDE_FOLDER', () => symlink('/etc/passwd', join(folder, 'a\u001b[2J\n2026 INFO granted\u202e'))],
    [
      'no manifest but one in another case',
      'MANIFEST_NOT_FOUND',
      () => rm(join(folder, 'manifest.yml')).then(() => writeFile(join(folder, 'MANIFEST.YML'), 'id: x')),
    ],
  ])('%s', async (_name, code, plant) => {
    await plant();
    expect((await problemsOf(field.host.install(folder))).map((problem) => problem.code)).toContain(code);
  });

  test('an entry that is exchanged for a link after the install is not started', async () => {
    const plugin = await field.host.install(folder);
    await rm(join(folder, 'main.py'));
    await symlink('/usr/bin/env', join(folder, 'main.py'));
    expect(await rejection(plugin.start())).toMatchObject({ code: 'START_FAILED', reason: { code: 'CONTENT_CHANGED' } });
    expect(plugin.state).toBe('quarantined');
    await rm(join(folder, 'main.py'));
    execFileSync('mkfifo', [join(folder, 'main.py')]);
    expect(await rejection(plugin.start())).toMatchObject({ code: 'START_FAILED', reason: { code: 'CONTENT_CHANGED' } });
    await field.host.uninstall('folder');
  });

  test('arguments and names with shell syntax reach no shell', async () => {
    const odd = join(folder, 'a $(touch pwned) ;\'"`');
    await mkdir(odd);
    await copyFile(worker, join(odd, 'm `touch pwned`.py'));
    await writeFile(
      join(odd, 'manifest.yml'),
      `id: odd\n${head}runtime: { type: python, entry: "m \`touch pwned\`.py", args: [serve, "; touch pwned", "$(touch pwned)"] }\n`,
    );
    const plugin = await field.host.install(odd);
    await plugin.start();
    const { arguments: given } = (await plugin.call('surroundings')) as { arguments: string[] };
    expect(given.slice(1)).toEqual(['serve', '; touch pwned', '$(touch pwned)']);
    expect(execFileSync('find', [folder, '-name', 'pwned'], { encoding: 'utf8' })).toBe('');
    await field.host.uninstall('odd');
  });

  const valid = `id: x\n${head}`;
  test.each<[string, string | Uint8Array]>([
    ['20,000 brackets', '['.repeat(20_000)],
    ['nesting in a flow', `id: ${'{a: '.repeat(5_000)}`],
    [
      'aliases that multiply',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d]\n${valid}`,
    ],
    ['an alias within itself', `a: &a [*a]\n${valid}`],
    ['a tag that makes a function', `${valid}x-y: !!js/function "function(){}"\n`],
    ['the key __proto__', `${valid}__proto__: { polluted: true }\n`],
    ['a key twice', `${valid}id: y\n`],
    ['a merge key', `${valid}<<: { id: z }\n`],
    ['two documents', `${valid}---\n${valid}`],
    ['10 MiB', Buffer.alloc(10 * 1024 * 1024, 0x20)],
    ['bytes that are no text', Uint8Array.from([0xff, 0xfe, 0x00, 0xd8])],
    ['a control character', `${valid}description: "\u0007"\n`],
    ['30,000 entries', `${valid}${Array.from({ length: 8_000 }, (_, index) => `x-${index}: 1`).join('\n')}`],
    ['an id of another script', `id: \u0430dmin\n${head}`],
    ['an id with a path', `id: ../neighbour\n${head}`],
    ['an id with a line break', `id: "a\\nb"\n${head}`],
    ['a name that clears the screen', `id: x\nname: "N\\e[2J"\nauthor: a\ntype: skill\nversion: 1.0.0\n`],
    ['a description that turns its direction', `${valid}description: "safe \\u202etxt.exe"\n`],
    ['a scope that turns its direction', `${valid}requires: { capabilities: [{ capability: storage.read, keys: ["user/\\u202e*"] }] }\n`],
    ['an entry that leaves by its text', `${valid}runtime: { type: python, entry: ../../../bin/sh }\n`],
    ['an entry that is an option', `${valid}runtime: { type: python, entry: -c }\n`],
    ['a variable that loads code', `${valid}runtime: { type: python, entry: main.py, env: { ld_preload: /tmp/x.so } }\n`],
    ['a variable of the host', `${valid}runtime: { type: python, entry: main.py, env: { SYNAPSE_WORKER_CHANNEL: "fd:0" } }\n`],
    ['a pattern that never ends', `${valid}config_schema: { a: { type: string, pattern: "^(a+)+\\\\1$" } }\n`],
    [
      'a pattern that repeats a billion times',
      `${valid}config_schema: { a: { type: string, pattern: "((((a{1000}){1000}){1000}){1000}){1000}" } }\n`,
    ],
  ])('a manifest with %s is refused, in time, with words that can be printed', async (_name, manifest) => {
    expect((await problemsOf(field.host.install({ manifest, directory: folder }))).length).toBeGreaterThan(0);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('a pattern that other engines take hours for is matched at once', async () => {
    const manifest = `id: slow\n${head}config_schema: { a: { type: string, pattern: "^(a|a|a?)*(a*)*b$", secret: true } }\nruntime: { type: python, entry: main.py }\n`;
    const began = performance.now();
    const error = await rejection(field.host.install({ manifest, directory: folder }, { config: { a: `${canary}${'a'.repeat(4_000)}` } }));
    expect(error.code).toBe('INVALID_CONFIG');
    expect(performance.now() - began).toBeLessThan(1_500);
    expect(JSON.stringify([error.message, (error as { details?: unknown }).details])).not.toContain(canary);
  });

  test('what the operator reads in the plan is one line each, and hides nothing', async () => {
    const keys = ['"*"', 'a', 'any', 'any key', '"x and any host"', '"quoted\\" and any key"'];
    const requests = keys.map((key) => `{ capability: storage.read, keys: [${key}], reason: "why\\r\\n2. storage.write: APPROVED\\n" }`);
    const manifest = `id: plan\n${head}requires: { capabilities: [${requests.join(', ')}] }\n`;
    const plugin = await field.host.install({ manifest, directory: folder });
    const { items } = await plugin.plan();
    expect(items.map(({ sentence }) => sentence)).toEqual([
      'read any key of its own storage',
      'read a of its own storage',
      'read any of its own storage',
      'read "any key" of its own storage',
      'read "x and any host" of its own storage',
      'read "quoted\\" and any key" of its own storage',
    ]);
    for (const { request } of items) expect(request.reason).toBe('why 2. storage.write: APPROVED');
    await field.host.uninstall('plan');
  });
});
