import { type ManifestResult, type ProblemCode, problemCodes, safeParseManifest } from '../../src/manifest/index.js';
import { catalogue, required, runnable } from './support.js';

/** A document that triggers a problem; `«` stands right before the place that the problem must name. */
export interface ProblemCase {
  readonly text: string | Uint8Array;
  readonly path: string;
  readonly fileName?: string;
  /** A part of the message: the repair. */
  readonly says: string;
  /** Where there is no mark. */
  readonly at?: readonly [line: number, column: number];
  readonly files?: Parameters<typeof safeParseManifest>[1]['files'];
}

const files = {
  find: (path: string) => (({ 'main.py': { kind: 'file', executable: false }, src: { kind: 'folder', executable: true } }) as const)[path as 'src'],
};
const deep = (levels: number, open: string, close: string): string => `${open.repeat(levels)}${close.repeat(levels)}`;

/** Problems of a folder are triggered where there are folders: test/manifest/plugin-folder.test.ts. */
export const folderCodes: readonly ProblemCode[] = [
  'MANIFEST_NOT_FOUND',
  'FOLDER_UNREADABLE',
  'FOLDER_TOO_LARGE',
  'LINK_OUTSIDE_FOLDER',
  'SPECIAL_FILE',
];

export const problemCases: Partial<Record<ProblemCode, readonly ProblemCase[]>> = {
  TOO_LARGE: [
    { text: `${required}description: ${'x'.repeat(65_536)}`, path: '', at: [1, 1], says: '65536 bytes' },
    { text: new TextEncoder().encode(`${required}# ${'é'.repeat(33_000)}`), path: '', at: [1, 1], says: '65536 bytes' },
  ],
  NOT_UTF8: [{ text: Uint8Array.of(0x69, 0x64, 0x3a, 0x20, 0xff, 0xfe), path: '', at: [1, 1], says: 'UTF-8' }],
  FORBIDDEN_CHARACTER: [
    { text: `${required}license: «\u0007`, path: '', says: 'U+0007' },
    { text: `${required}license: «\ud800`, path: '', says: 'U+D800' },
    { text: `${required}license: «"\\0"`, path: '/license', says: 'escaped NUL' },
    { text: `{"id": «"\\ud800"}`, path: '/id', says: 'escaped NUL or half' },
  ],
  EMPTY_DOCUMENT: [
    { text: '', path: '', at: [1, 1], says: 'map of fields' },
    { text: '# nothing\n', path: '', at: [1, 1], says: 'map of fields' },
    { text: ' ', fileName: 'manifest.json', path: '', at: [1, 2], says: 'map of fields' },
    { text: '«~', path: '', says: 'map of fields' },
  ],
  NOT_A_MAP: [
    { text: '«- id: a', path: '', says: 'must be a map' },
    { text: ' «text', path: '', says: 'must be a map' },
    { text: '«[1]', fileName: 'manifest.json', path: '', says: 'must be a map' },
  ],
  INVALID_YAML: [
    { text: 'id: a\nname: «b: c', path: '', says: 'Nested mappings' },
    { text: 'id: a\nname: "b«', path: '', says: 'closing' },
  ],
  INVALID_JSON: [
    { text: '{"id": "a",«}', fileName: 'manifest.json', path: '', says: 'key in double quotes' },
    { text: '{"id": «a}', fileName: 'MANIFEST.JSON', path: '/id', says: 'JSON value' },
    { text: '{"id": «"a}', fileName: 'manifest.json', path: '/id', says: 'closing quote' },
    { text: '{"id": «"\\q"}', fileName: 'manifest.json', path: '/id', says: 'escape' },
    { text: '{"id" «1}', fileName: 'manifest.json', path: '', says: 'colon' },
    { text: '{"id": [1 «2]}', fileName: 'manifest.json', path: '/id', says: 'comma' },
    { text: '{"id": 1} «x', fileName: 'manifest.json', path: '', says: 'ends here' },
  ],
  TOO_DEEP: [
    { text: `a: ${'['.repeat(32)}«[[`, path: '', says: '32 deep' },
    { text: `${'- '.repeat(33)}«x`, path: '', says: '32 deep' },
    { text: `a: ${deep(31, '[', ']')}\nb: ${'['.repeat(31)}«[${']'.repeat(32)}`, path: `/b${'/0'.repeat(31)}`, says: '32 deep' },
    { text: `{"a":${'['.repeat(31)}«[${']'.repeat(32)}}`, fileName: 'a.json', path: `/a${'/0'.repeat(31)}`, says: '32 deep' },
  ],
  TOO_MANY_VALUES: [{ text: aliasBomb(), path: '/a7/0', at: [8, 10], says: '20000 values' }],
  TOO_MANY_ALIASES: [
    { text: `a: &a 1\nb: [${'*a, '.repeat(16)}«*a]`, path: '', says: '16 anchors' },
    { text: `b: [${Array.from({ length: 16 }, (_, index) => `&a${index} x`).join(', ')}, «&b x]`, path: '', says: '16 anchors' },
  ],
  INVALID_ALIAS: [
    { text: 'a: «*b', path: '/a', says: 'No anchor "b"' },
    { text: 'a: &a\n  b: «*a', path: '/a/b', says: 'never end' },
  ],
  UNSUPPORTED_TAG: [
    { text: 'a: «!!js/function "x"', path: '', says: 'remove the tag' },
    { text: '«!!map\na: 1', path: '', says: 'remove the tag' },
  ],
  UNSUPPORTED_DIRECTIVE: [{ text: '«%YAML 1.1\n---\na: 1', path: '', says: 'remove the line' }],
  MULTIPLE_DOCUMENTS: [{ text: 'id: a\n«---\nid: b', path: '', says: 'second "---"' }],
  DUPLICATE_KEY: [
    { text: `${runnable}«id: b`, path: '/id', says: 'twice' },
    { text: '{"id": "a", «"id": "b"}', path: '/id', says: 'twice' },
    { text: `${runnable}config_schema:\n  - key: a\n  - key: «a`, path: '/config_schema/1/key', says: 'twice' },
  ],
  INVALID_KEY: [
    { text: `${runnable}«true: 1`, path: '', says: 'quotes' },
    { text: `${runnable}? «[a]\n: 1`, path: '', says: 'quotes' },
  ],
  FORBIDDEN_KEY: [
    { text: `${runnable}«__proto__: {a: 1}`, path: '', says: 'another name' },
    { text: '{«"__proto__": 1}', path: '', says: 'another name' },
  ],
  MERGE_KEY: [{ text: `a: &a {b: 1}\nc:\n  «<<: *a`, path: '/c', says: 'write the fields out' }],
  TOO_MANY_PROBLEMS: [
    { text: required + Array.from({ length: 150 }, (_, index) => `unknown${index}: 1\n`).join(''), path: '', at: [1, 1], says: 'more warnings' },
  ],
  MISSING_FIELD: [
    { text: '«id: a\nname: A\ntype: channel\nversion: 1.0.0', path: '/author', says: 'author is required' },
    { text: `${required.replace('author: me', 'author: «" "')}`, path: '/author', says: 'must not be blank' },
    { text: `${required.replace('name: A', 'name:«')}`, path: '/name', says: 'name is required' },
    { text: `${required}runtime:\n  «type: python`, path: '/runtime/entry', says: 'path of the program' },
    { text: `${runnable}requires:\n  capabilities:\n    - «reason: x`, path: '/requires/capabilities/0/capability', says: 'required' },
  ],
  WRONG_TYPE: [
    { text: `${runnable}tags: «x`, path: '/tags', says: 'must be a list, not text' },
    { text: `${runnable}capabilities:\n  streaming: «"yes"`, path: '/capabilities/streaming', says: 'true or false' },
    { text: `${runnable}config_schema: «5`, path: '/config_schema', says: 'must be a list or a map, not a number' },
    { text: `${runnable}limits:\n  max_concurrency: «1.5`, path: '/limits/max_concurrency', says: 'whole number.' },
    { text: `${required}runtime: «[]`, path: '/runtime', says: 'text or a map' },
  ],
  TOO_LONG: [
    { text: `${runnable}description: «${'x'.repeat(501)}`, path: '/description', says: 'at most 500 characters' },
    { text: `${runnable}tags: «[${'a, '.repeat(256)}a]`, path: '/tags', says: 'at most 256 items' },
    { text: `${runnable}  env: «{${Array.from({ length: 65 }, (_, index) => `A${index}: x`).join(', ')}}`, path: '/runtime/env', says: 'at most 64' },
  ],
  OUT_OF_RANGE: [{ text: `${runnable}limits:\n  handler_timeout_ms: «99999999999`, path: '/limits/handler_timeout_ms', says: 'at most 3600000' }],
  UNKNOWN_VALUE: [
    { text: `${runnable}min_isolation: «sandbx`, path: '/min_isolation', says: 'did you mean sandbox?' },
    { text: `${runnable}  channel: «tcp`, path: '/runtime/channel', says: 'fd or stdio' },
  ],
  UNKNOWN_FIELD: [
    { text: `${runnable}«auther: x`, path: '/auther', says: 'did you mean author?' },
    { text: `${runnable}  «chanel: fd`, path: '/runtime/chanel', says: 'did you mean channel?' },
    { text: `${runnable}config_schema:\n  a: {type: string, «requird: true}`, path: '/config_schema/a/requird', says: 'did you mean required?' },
    { text: `${runnable}hooks:\n  «on_mesage: x`, path: '/hooks/on_mesage', says: 'did you mean on_message?' },
    { text: `${runnable}«a~b/c: x`, path: '/a~0b~1c', says: 'no effect' },
  ],
  UNQUOTED_TEXT: [
    { text: `${required}runtime:\n  type: external\n  min_version: «3.10`, path: '/runtime/min_version', says: '"3.10"' },
    { text: `${runnable}  env:\n    PORT: «8080`, path: '/runtime/env/PORT', says: '"8080"' },
  ],
  UNPRINTABLE_TEXT: [
    { text: `${runnable}license: «"a\\e[31m"`, path: '/license', says: 'control characters' },
    { text: `${runnable}tags: [«"a\\u202Eb"]`, path: '/tags/0', says: 'direction of writing' },
    { text: `${runnable}channel_id: «" "`, path: '/channel_id', says: 'printable' },
  ],
  CONFLICTING_FIELDS: [
    { text: `${runnable}slots:\n  channel_id: a\nchannel_id: «b`, path: '/channel_id', says: 'keep one' },
    { text: `${runnable}  entry: a.py\n  entry_point: «b.py`, path: '/runtime/entry_point', says: 'keep one' },
    { text: `${runnable}provides:\n  methods: {a: {}}\n  streams: {«a: {}}`, path: '/provides/streams/a', says: 'another name' },
  ],
  INVALID_ID: [
    { text: runnable.replace('id: a', 'id: «A_b'), path: '/id', says: 'lower-case' },
    { text: runnable.replace('id: a', `id: «${'a'.repeat(65)}`), path: '/id', says: '64' },
    { text: runnable.replace('id: a', 'id: «a/b/c'), path: '/id', says: 'author/my-plugin' },
  ],
  ID_NOT_IN_CORE: [{ text: runnable.replace('id: a', 'id: «me/a'), path: '/id', says: '"a" works everywhere' }],
  UNKNOWN_TYPE: [{ text: runnable.replace('type: channel', 'type: «chanel'), path: '/type', says: 'use channel' }],
  TYPE_NOT_IN_CORE: [{ text: runnable.replace('type: channel', 'type: «Model_Provider'), path: '/type', says: 'model works everywhere' }],
  INVALID_VERSION: [
    { text: runnable.replace('1.0.0', '«v1.0.0'), path: '/version', says: '1.0.0' },
    { text: `${runnable}  min_version: «"3.x"`, path: '/runtime/min_version', says: '"3.11"' },
  ],
  INVALID_VERSION_CONSTRAINT: [
    { text: `${runnable}requires:\n  synapse_version: «">=1.0.0 <2.0.0"`, path: '/requires/synapse_version', says: 'without spaces' },
    { text: `${runnable}requires:\n  plugins: [{id: b, version: «1.x}]`, path: '/requires/plugins/0/version', says: '>=1.2.0' },
  ],
  UNREADABLE_VERSION: [{ text: `${runnable}min_synapse: «soon`, path: '/min_synapse', says: '>=1.2.0' }],
  INVALID_DEPENDENCY: [
    { text: `${runnable}requires:\n  plugins: [{id: «a}]`, path: '/requires/plugins/0/id', says: 'require itself' },
    { text: `${runnable}requires:\n  plugins: [{id: «B!}]`, path: '/requires/plugins/0/id', says: 'no plugin id' },
    {
      text: `${runnable}requires:\n  plugins: [{id: b}]\nsoft_requires: [{id: «b}]`,
      path: '/soft_requires/0/id',
      says: 'already required in requires.plugins',
    },
  ],
  UNKNOWN_CAPABILITY: [
    {
      text: `${runnable}requires:\n  capabilities:\n    - capability: «network.htp`,
      path: '/requires/capabilities/0/capability',
      says: 'did you mean network.http?',
    },
    { text: `${runnable}capabilities: [«async_execution]`, path: '/capabilities/0', says: 'those of this host are agents.message' },
    { text: `${runnable}permissions: [«filesystem.reed]`, path: '/permissions/0', says: 'did you mean filesystem.read?' },
  ],
  INVALID_SCOPE: [
    {
      text: `${runnable}capabilities: [{capability: network.http, hosts: [a.example, «"https://b"]}]`,
      path: '/capabilities/0/hosts/1',
      says: 'without scheme',
    },
    { text: `${runnable}permissions: [«"filesystem.read:../x"]`, path: '/permissions/0', says: 'absolute' },
  ],
  LEGACY_PERMISSION: [{ text: `${runnable}permissions: [«network.http]`, path: '/permissions/0', says: 'always needs the approval of a person' }],
  PERMISSION_NOT_AVAILABLE: [{ text: `${runnable}permissions: {database: {read: «true}}`, path: '/permissions/database/read', says: 'storage.read' }],
  NO_RUNTIME: [{ text: `«${required}`, path: '/runtime', says: 'cannot be started here' }],
  UNKNOWN_RUNTIME: [
    { text: `${required}runtime: {type: «pyton, entry: a}`, path: '/runtime/type', says: 'use python' },
    { text: `${required}runtime: «java\nentrypoint: a`, path: '/runtime', says: 'inside the Java core' },
  ],
  INVALID_ENTRY: [
    { text: `${required}runtime: {type: python, entry: «../a.py}`, path: '/runtime/entry', says: 'must not leave the folder' },
    { text: `${required}runtime: python\nentry_point: «/a.py`, path: '/entry_point', says: 'relative' },
  ],
  INVALID_ARGS: [{ text: `${runnable}  args: [«"a\\0"]`, path: '/runtime/args/0', says: 'NUL' }],
  INVALID_ENVIRONMENT: [
    { text: `${runnable}  env: {«A-B: x}`, path: '/runtime/env/A-B', says: 'letters, digits' },
    { text: `${runnable}  env: {A: «"\\0"}`, path: '/runtime/env/A', says: 'NUL' },
  ],
  FORBIDDEN_ENVIRONMENT: [{ text: `${runnable}  env: {«LD_PRELOAD: x}`, path: '/runtime/env/LD_PRELOAD', says: 'remove it' }],
  UNKNOWN_CONFIG_TYPE: [
    { text: `${runnable}config_schema: {a: {type: «intger}}`, path: '/config_schema/a/type', says: 'use integer' },
    { text: `${runnable}config_schema: {a: {type: list, item_type: «strng}}`, path: '/config_schema/a/item_type', says: 'use string' },
  ],
  INVALID_CONFIG_RULE: [
    { text: `${runnable}config_schema: {a: «{type: integer, min: 2, max: 1}}`, path: '/config_schema/a', says: 'exchange' },
    { text: `${runnable}config_schema: {a: {enum: «[{}], default: []}}`, path: '/config_schema/a/enum', says: 'remove the others' },
    { text: `${runnable}config_schema: {a: «{type: string, min: 2}}`, path: '/config_schema/a', says: 'min_length' },
    { text: `${runnable}config_schema: {type: object, required: [b], properties: «{a: {}}}`, path: '/config_schema/properties', says: '"b"' },
  ],
  UNSUPPORTED_CONFIG_RULE: [
    {
      text: `${runnable}config_schema: {type: object, properties: {a: {«oneOf: []}}}`,
      path: '/config_schema/properties/a/oneOf',
      says: 'not be enforced',
    },
    {
      text: `${runnable}config_schema: {type: object, additionalProperties: «{}}`,
      path: '/config_schema/additionalProperties',
      says: 'true or false',
    },
    { text: `${runnable}config_schema: {a: {type: «[string, integer]}}`, path: '/config_schema/a/type', says: 'one type' },
  ],
  UNSUPPORTED_PATTERN: [
    { text: `${runnable}config_schema: {a: {type: string, pattern: «'(a)\\1'}}`, path: '/config_schema/a/pattern', says: 'not supported' },
    {
      text: `${runnable}config_schema: {a: {type: string, pattern: «'((a{1000}){1000}){1000}'}}`,
      path: '/config_schema/a/pattern',
      says: 'smaller counts',
    },
  ],
  INVALID_DEFAULT: [
    { text: `${runnable}config_schema: {a: {type: integer, default: «"5"}}`, path: '/config_schema/a/default', says: 'remove the quotes' },
    {
      text: `${runnable}config_schema: {a: {type: list, item_type: string, default: [x, «1]}}`,
      path: '/config_schema/a/default/1',
      says: 'must be text',
    },
  ],
  SECRET_DEFAULT: [
    { text: `${runnable}config_schema: {a: {type: string, secret: true, default: «x}}`, path: '/config_schema/a/default', says: 'public' },
  ],
  INVALID_NAME: [
    { text: `${runnable}provides: {methods: {«"1a": {}}}`, path: '/provides/methods/1a', says: 'letter' },
    { text: `${runnable}provides: {events: {«" ": {}}}`, path: '/provides/events/ ', says: 'topic' },
  ],
  RESERVED_NAME: [{ text: `${runnable}provides: {streams: {«plugin.load: {}}}`, path: '/provides/streams/plugin.load', says: 'rename' }],
  ENTRY_NOT_FOUND: [
    { text: `${required}runtime: {type: python, entry: «app.py}`, path: '/runtime/entry', files, says: 'does not exist' },
    { text: `${required}runtime: {type: python, entry: «src}`, path: '/runtime/entry', files, says: 'is a folder' },
  ],
  ENTRY_NOT_EXECUTABLE: [{ text: `${required}runtime: {type: executable, entry: «main.py}`, path: '/runtime/entry', files, says: 'chmod +x' }],
};

/** Every code that exists. */
export const allCodes = Object.keys(problemCodes) as ProblemCode[];

/** Runs a case, its mark removed, and says where the mark was. */
export function runCase({ text, fileName, files: present, at }: ProblemCase): {
  readonly result: ManifestResult;
  readonly line: number;
  readonly column: number;
} {
  const mark = typeof text === 'string' ? text.indexOf('«') : -1;
  const clean = typeof text === 'string' && mark !== -1 ? text.slice(0, mark) + text.slice(mark + 1) : text;
  const before = typeof text === 'string' ? text.slice(0, Math.max(0, mark)).split('\n') : [''];
  const [line, column] = at ?? [before.length, (before.at(-1) ?? '').length + 1];
  return { result: safeParseManifest({ text: clean, fileName }, { catalogue, files: present }), line, column };
}

/** Sixteen aliases that stand for some hundred thousand values. */
function aliasBomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level <= 8; level++)
    lines.push(`a${level}: &a${level} [${level === 8 ? '' : `*a${level - 1}, *a${level - 1}, `}${'x, '.repeat(120)}]`);
  return lines.join('\n');
}
