import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../src/capabilities/index.js';
import { isWorkerRuntimeError } from '../../src/errors/index.js';
import { manifestDigest, parseManifest } from '../../src/manifest/index.js';
import { catalogue, parse, problemsOf, required, runnable } from './support.js';

describe('parseManifest', () => {
  it('returns the manifest', () => {
    expect(parseManifest({ text: runnable }, { catalogue })).toMatchObject({ id: 'a', runtime: { type: 'external', entry: undefined } });
  });

  it('throws INVALID_MANIFEST with all problems, warnings included', () => {
    let thrown: unknown;
    try {
      parseManifest({ text: 'id: A\nauther: x', fileName: 'manifest.yml' }, { catalogue });
    } catch (error) {
      thrown = error;
    }
    if (!isWorkerRuntimeError(thrown, 'INVALID_MANIFEST')) throw thrown;
    const problems = parse('id: A\nauther: x').problems;
    expect(problems.length).toBeGreaterThan(5);
    expect(thrown.details).toEqual({ problems });
    expect(thrown.message).toMatch(/^manifest\.yml:1:1: name is required.*\(and 4 more\)$/);
  });
});

describe('the document', () => {
  it('may begin with a byte order mark, which counts in no column', () => {
    expect(parse(`\ufeff${runnable}foo: 1`).problems).toMatchObject([{ line: 8, column: 1 }]);
    expect(parse(new TextEncoder().encode(`\ufeff${runnable}`)).valid).toBe(true);
  });

  it('may have Windows line ends', () => {
    expect(parse(`${runnable}foo: 1`.replaceAll('\n', '\r\n')).problems).toMatchObject([{ line: 8, column: 1 }]);
  });

  it('may use anchors and aliases', () => {
    const { manifest } = parse(`${runnable}tags: &tags [x]\nstore:\n  tags: *tags`);
    expect(manifest).toMatchObject({ tags: ['x'], hostFields: { store: { tags: ['x'] } } });
  });

  it('knows a flow map of YAML from JSON', () => {
    expect(parse('{id: a, name: A, author: me, type: channel, version: 1.0.0, runtime: {type: external}}').valid).toBe(true);
  });

  it('takes text that looks like YAML inside scalars as text', () => {
    expect(parse(`${runnable}description: |\n  !!tag &anchor *alias\n  --- [[[[ %YAML\n`).valid).toBe(true);
  });

  it('keeps names of Object.prototype as ordinary keys', () => {
    const { valid, manifest } = parse(
      `${runnable}capabilities: {constructor: true, toString: false, hasOwnProperty: true}\nconfig_schema: {constructor: {type: string}}`,
    );
    expect(valid).toBe(true);
    expect(Object.entries(manifest?.features ?? {})).toEqual([
      ['constructor', true],
      ['toString', false],
      ['hasOwnProperty', true],
    ]);
    expect(manifest?.configSchema.fields.map((field) => field.key)).toEqual(['constructor']);
  });

  it('[manifest.all-problems] gives every problem at once, whatever else is wrong', () => {
    const codes = parse(
      'id: A\nid: B\ntype: modle\nversion: x\ntags: 5\nruntime: {type: python, entry: /x, env: {PATH: x}}\ncapabilities: [nope]\nfoo: 1',
    ).problems.map((problem) => problem.code);
    expect(codes.sort()).toEqual(
      [
        'DUPLICATE_KEY',
        'FORBIDDEN_ENVIRONMENT',
        'INVALID_ENTRY',
        'INVALID_ID',
        'INVALID_VERSION',
        'MISSING_FIELD',
        'MISSING_FIELD',
        'UNKNOWN_CAPABILITY',
        'UNKNOWN_FIELD',
        'UNKNOWN_TYPE',
        'WRONG_TYPE',
      ].sort(),
    );
  });

  it('[manifest.did-you-mean] names the nearest of an unknown field, a warning, and of an unknown capability, an error', () => {
    const { valid, problems } = parse(`${runnable}discription: x\ncapabilities: [network.htp]`);
    expect(valid).toBe(false);
    expect(problems).toMatchObject([
      { severity: 'warning', code: 'UNKNOWN_FIELD', message: expect.stringContaining('did you mean description?') },
      { severity: 'error', code: 'UNKNOWN_CAPABILITY', message: expect.stringContaining('did you mean network.http?') },
    ]);
  });

  it('is invalid by its hundred-and-first error too, and lists at most 100 of each severity', () => {
    const { valid, problems } = parse(`${runnable}capabilities:\n${'  - nope\n'.repeat(60)}permissions:\n${'  - nope\n'.repeat(60)}`);
    expect(valid).toBe(false);
    expect(problems.filter((problem) => problem.severity === 'error')).toHaveLength(100);
    expect(problems.at(-1)).toMatchObject({ code: 'TOO_MANY_PROBLEMS', message: expect.stringContaining('20 more errors') });
  });

  it('never puts control characters of the manifest into a message', () => {
    const { problems } = parse(`${required}"\\e[31mfoo\\n": 1\ntags: 5\n"\\u202Ebar": 2`);
    for (const { message } of problems) expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(problems.some(({ message }) => message.includes('\\u202e'))).toBe(true);
  });
});

describe('identity', () => {
  it.each(['a', '0', 'a-b', `a${'b'.repeat(63)}`, 'me/a'])('takes the id %s', (id) => {
    expect(problemsOf(runnable.replace('id: a', `id: "${id}"`), 'INVALID_ID')).toEqual([]);
  });
  it.each(['-a', 'A', 'a.b', 'a_b', 'a/', '/a', 'a/b/c', 'a b', 'ä', `${'a'.repeat(65)}`, 'a\\n'])('refuses the id %s', (id) => {
    expect(problemsOf(runnable.replace('id: a', `id: "${id}"`), 'INVALID_ID')).toHaveLength(1);
  });
  it.each(['1.0.0', '0.0.1-beta', '1.2.3.4', '10.20.30+build'])('takes the version %s', (version) => {
    expect(parse(runnable.replace('1.0.0', version)).manifest?.version).toBe(version);
  });
  it.each(['1', '1.0', 'v1.0.0', '1.0.x', '1.0.0\\n'])('refuses the version %s', (version) => {
    expect(parse(runnable.replace('1.0.0', `"${version}"`)).valid).toBe(false);
  });
  it.each([
    ['CHANNEL', 'channel', 'channel'],
    ['Model-Provider', 'model-provider', 'model'],
    ['MODEL_PROVIDER', 'model-provider', 'model'],
    ['skill-bundle', 'skill-bundle', 'bundle'],
    ['theme', 'theme', 'theme'],
  ])('reads the type %s', (written, type, kind) => {
    expect(parse(runnable.replace('type: channel', `type: ${written}`)).manifest).toMatchObject({ type, kind });
  });
});

describe('runtime', () => {
  const runtime = (section: string) => parse(`${required}runtime: ${section}`);

  it.each(['main.py', './main.py', 'src/a b/main.py', 'a..b/c', '...x', 'ünïcode.py'])('takes the entry %s', (entry) => {
    expect(runtime(`{type: python, entry: "${entry}"}`).manifest?.runtime?.entry).toBe(entry.replace(/^\.\//, ''));
  });
  it.each(
    [
      ['/etc/passwd', '..', '../x', 'a/../../x', 'a/..', './../x', '.', './', 'a//b', 'a/', 'a/./b', '~/x', 'C:/x', 'c:x', 'file:///x', 'http://x'],
      [
        'a\\\\..\\\\b',
        '..\\\\x',
        '\\\\\\\\server\\\\x',
        'a\\e.py',
        'a\\nb',
        '-e',
        '--inspect',
        './-c',
        'a/.. /b',
        'a/ b/../c',
        'x.',
        ' x',
        'a\\u0085',
      ],
    ].flat(),
  )('[manifest.entry-stays-inside] refuses the entry %s', (entry) => {
    expect(runtime(`{type: python, entry: "${entry}"}`).problems.map((problem) => problem.code)).toEqual(['INVALID_ENTRY']);
  });

  it.each(
    [
      [
        'LD_PRELOAD',
        'LD_LIBRARY_PATH',
        'ld_preload',
        'DYLD_INSERT_LIBRARIES',
        'NODE_OPTIONS',
        'NODE_PATH',
        'NODE_EXTRA_CA_CERTS',
        'PYTHONPATH',
        'PYTHONSTARTUP',
        'PYTHONHOME',
      ],
      [
        'PYTHONWARNINGS',
        'PERL5LIB',
        'PERL5OPT',
        'RUBYOPT',
        'JAVA_TOOL_OPTIONS',
        '_JAVA_OPTIONS',
        'BASH_ENV',
        'ENV',
        'IFS',
        'PATH',
        'Path',
        'HOME',
        'GCONV_PATH',
        'MALLOC_CHECK_',
      ],
      ['GLIBC_TUNABLES', 'OPENSSL_CONF', 'SSL_CERT_FILE', 'HTTPS_PROXY', 'BASH_FUNC_x', 'SYNAPSE_WORKER_CHANNEL', 'SYNAPSE_WORKER_TOKEN_FD'],
    ].flat(),
  )('[manifest.env-loads-no-code] refuses the environment entry %s', (name) => {
    expect(runtime(`{type: external, env: {${name}: x}}`).problems.map((problem) => problem.code)).toEqual(['FORBIDDEN_ENVIRONMENT']);
  });
  it.each(['LOG_LEVEL', 'NODE_ENV', 'PYTHONUNBUFFERED', 'TZ', 'a', '_x', 'LDAP_HOST', 'ENVIRONMENT'])('takes the environment entry %s', (name) => {
    expect(runtime(`{type: external, env: {${name}: x}}`).manifest?.runtime?.env).toEqual({ [name]: 'x' });
  });

  it.each([
    ['node', 'nodejs'],
    ['Python3', 'python'],
    ['golang', 'go'],
    ['executable', 'executable'],
    ['mcp', 'mcp'],
  ])('reads the type %s', (written, type) => {
    expect(runtime(`{type: ${written}, entry: x}`).manifest?.runtime?.type).toBe(type);
  });
  it('reads the type as text with the rest beside it', () => {
    expect(parse(`${required}runtime_type: node20\nentry_point: x.js\nargs: [a]\nenv: {A: b}`).manifest?.runtime).toEqual({
      type: 'nodejs',
      entry: 'x.js',
      args: ['a'],
      env: { A: 'b' },
      channel: 'fd',
      minVersion: '20',
    });
  });
  it('keeps arguments that an interpreter would understand: they come after the entry point', () => {
    expect(runtime('{type: nodejs, entry: a.js, args: ["--inspect", "-e"]}').manifest?.runtime?.args).toEqual(['--inspect', '-e']);
  });
  it('does not take the class of a Java plugin for a program', () => {
    expect(parse(`${required}language: java\nentry_point: a.B\nruntime: {type: external}`).manifest?.runtime?.entry).toBeUndefined();
  });
});

describe('requests', () => {
  it('without a capability in the catalogue are errors; legacy ones are dropped with a warning', () => {
    const empty = createCatalogue([]);
    const { problems } = parse(`${runnable}capabilities: [network.http]`);
    expect(problems).toEqual([]);
    expect(() => parseManifest({ text: `${runnable}capabilities: [network.http]` }, { catalogue: empty })).toThrow(/no capability "network\.http"/);
    expect(parseManifest({ text: `${runnable}permissions: [network.http]` }, { catalogue: empty }).requests).toEqual([]);
  });
  it('of permissions that are false or none ask for nothing', () => {
    expect(parse(`${runnable}permissions: {filesystem: {read: false}, network: {enabled: false}, secrets: {required: []}}`)).toMatchObject({
      valid: true,
      problems: [],
      manifest: { requests: [] },
    });
    expect(parse(`${runnable}permissions: [none]`)).toMatchObject({ valid: true, problems: [], manifest: { requests: [] } });
  });
  it('stand in the order of the document', () => {
    const { manifest } = parse(`${runnable}permissions: [network.http]\nrequires:\n  capabilities: [storage.read]`);
    expect(manifest?.requests.map((request) => request.origin)).toEqual(['permissions', 'requires']);
  });
});

describe('manifestDigest', () => {
  it('is the SHA-256 of the raw bytes', () => {
    const bytes = new TextEncoder().encode(`\ufeff${runnable}# é`);
    const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
    expect(manifestDigest(bytes, { sha256 })).toBe(createHash('sha256').update(bytes).digest('hex'));
  });
});
