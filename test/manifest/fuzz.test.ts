import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemCodes } from '../../src/manifest/index.js';
import { parse, readFixture } from './support.js';

const decoder = new TextDecoder();
const fixtures = ['worker-provider.yml', 'docs-list-dialect.yml', 'published-provider.yml', 'template-json-schema.yml', 'worker-channel.json'].map(
  (name) => decoder.decode(readFixture(name)),
);

/** What must hold of every answer, whatever was asked. */
function checkAnswer(text: string | Uint8Array, fileName?: string): void {
  const { valid, manifest, problems } = parse(text, fileName);
  const rows = (typeof text === 'string' ? text : decoder.decode(text)).split('\n');
  const wrong = problems.filter(({ code, severity, line, column, path, message }) => {
    const place = line >= 1 && line <= rows.length && column >= 1 && column <= (rows[line - 1] ?? '').length + 1;
    return !place || problemCodes[code].severity !== severity || (path !== '' && !path.startsWith('/')) || !/^[^\u0000-\u001f]+[.?]$/.test(message);
  });
  // One assertion: thousands of them would take longer than what they check.
  expect({ wrong, valid, manifest: manifest !== undefined }).toEqual({
    wrong: [],
    valid: problems.every(({ severity }) => severity === 'warning'),
    manifest: valid,
  });
}

const tokens = [
  ...[
    '- ',
    '? ',
    ': ',
    ':',
    '[',
    ']',
    '{',
    '}',
    ',',
    '\n',
    '\n  ',
    '\n    ',
    ' ',
    '\t',
    '#',
    ' #',
    '|',
    '>',
    '|\n  x',
    '&a ',
    '*a',
    '!',
    '!!str ',
    '%',
    '---\n',
    '...\n',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\\u0000',
    '~',
    'null',
    'true',
    '1',
    '3.10',
    '.inf',
    '.nan',
    '0x1f',
    '1e400',
    'a',
    'é',
    '😀',
    '\ufeff',
    '\r\n',
    '\u2028',
    '__proto__: ',
    '<<: ',
    'constructor: ',
  ],
  ...[
    'id: a\n',
    'name: A\n',
    'author: m\n',
    'type: channel\n',
    'version: 1.0.0\n',
    'runtime: ',
    'runtime:\n',
    'type: python\n',
    'entry: ',
    'env: ',
    'args: ',
    'capabilities: ',
    'capability: ',
  ],
  ...[
    'network.http',
    'hosts: ',
    'permissions: ',
    'filesystem: ',
    'read: ',
    'config_schema: ',
    'properties: ',
    'items: ',
    'pattern: ',
    '(a+)+',
    'default: ',
    'enum: ',
    'required: ',
    'provides: ',
  ],
  ...[
    'methods: ',
    'requires: ',
    'plugins: ',
    'soft_requires: ',
    'limits: ',
    'resources: ',
    'max_threads: ',
    'hooks: ',
    'slots: ',
    'channel_id: ',
    'tags: ',
    'key: ',
    'type: object, ',
  ],
];

describe('whatever is thrown at it, safeParseManifest answers', { timeout: 60_000 }, () => {
  it('texts of the words of YAML and of manifests', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 60 }), (parts) => checkAnswer(parts.join(''))),
      { numRuns: 800 },
    );
  });

  it('bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(undefined, 'a.json', 'a.yml'), checkAnswer), { numRuns: 500 });
  });

  it('manifests with pieces cut out, put in, or put elsewhere', () => {
    const edit = fc.record({ at: fc.nat(), length: fc.nat(40), piece: fc.oneof(fc.constantFrom(...tokens), fc.string({ maxLength: 5 })) });
    fc.assert(
      fc.property(fc.constantFrom(...fixtures), fc.array(edit, { minLength: 1, maxLength: 6 }), (fixture, edits) => {
        const text = edits.reduce((current, { at, length, piece }) => {
          const start = at % (current.length + 1);
          return current.slice(0, start) + piece + current.slice(start + length);
        }, fixture);
        checkAnswer(text);
      }),
      { numRuns: 250 },
    );
  });

  it('JSON documents of any shape under the names of known fields', () => {
    const known = [
      'runtime',
      'capabilities',
      'permissions',
      'config_schema',
      'requires',
      'provides',
      'limits',
      'hooks',
      'slots',
      'tags',
      'soft_requires',
      'resources',
      'env',
      'args',
      'type',
      'id',
    ];
    const value = fc.jsonValue({ maxDepth: 4 });
    const config = fc.dictionary(
      fc.constantFrom('a', 'type', 'properties', 'constructor'),
      fc.dictionary(fc.constantFrom('type', 'default', 'enum', 'items', 'min', 'pattern', 'required', 'properties'), value),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...known), fc.oneof(value, config)), (fields) => {
        checkAnswer(JSON.stringify({ id: 'a', name: 'A', author: 'm', type: 'channel', version: '1.0.0', ...fields }, null, 1), 'manifest.json');
      }),
      { numRuns: 250 },
    );
  });

  it('reads JSON as JSON.parse does, where it accepts it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2, '\t'), (store, indent) => {
        const text = JSON.stringify({ id: 'a', name: 'A', author: 'm', type: 'channel', version: '1.0.0', tools: store }, null, indent);
        const { manifest } = parse(text, 'manifest.json');
        fc.pre(manifest !== undefined);
        expect(JSON.parse(JSON.stringify(manifest?.hostFields.tools ?? null))).toEqual(withoutNulls(JSON.parse(JSON.stringify(store))));
        expect(parse(text, 'manifest.yml').manifest?.hostFields).toEqual(manifest?.hostFields);
      }),
      { numRuns: 250 },
    );
  });
});

/** An entry without value counts as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, child]) => (child === null ? [] : [[key, withoutNulls(child)]])));
}
