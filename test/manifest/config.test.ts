import { describe, expect, it } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/index.js';
import { type ConfigSchema, configProblemCodes, parseConfig, validateConfig } from '../../src/manifest/index.js';
import { parse, runnable } from './support.js';

function schemaOf(configSchema: string): ConfigSchema {
  const { manifest, problems } = parse(`${runnable}config_schema: ${configSchema}`);
  if (manifest === undefined) throw new Error(JSON.stringify(problems));
  return manifest.configSchema;
}
const codesOf = (schema: ConfigSchema, values: Record<string, unknown>): string[] =>
  validateConfig(schema, values).problems.map((problem) => `${problem.code} ${problem.path}`);

const dialects = {
  map: '{ token: {type: string, required: true, secret: true}, retries: {type: integer, default: 3, min: 0, max: 10}, mode: {type: string, enum: [fast, slow]} }',
  list: '[{key: token, type: string, required: true, secret: true}, {key: retries, type: integer, default: 3, min: 0, max: 10}, {key: mode, type: string, enum: [fast, slow]}]',
  'JSON Schema':
    '{ type: object, required: [token], properties: { token: {type: string, writeOnly: true}, retries: {type: [integer, "null"], default: 3, minimum: 0, maximum: 10}, mode: {type: string, enum: [fast, slow]} } }',
};

describe.each(Object.entries(dialects))('[manifest.config] validateConfig in the dialect %s', (_name, written) => {
  const schema = schemaOf(written);

  it('fills in defaults and marks secrets', () => {
    expect(validateConfig(schema, { token: 't' })).toEqual({ config: { token: 't', retries: 3 }, secretKeys: ['token'], problems: [] });
  });
  it('finds everything that is wrong at once', () => {
    expect(codesOf(schema, { retries: 11, mode: 'fats', tokn: 'x' })).toEqual([
      'CONFIG_UNKNOWN_KEY /tokn',
      'CONFIG_MISSING /token',
      'CONFIG_OUT_OF_RANGE /retries',
      'CONFIG_NOT_ALLOWED /mode',
    ]);
  });
  it('converts nothing', () => {
    expect(codesOf(schema, { token: 5, retries: '3' })).toEqual(['CONFIG_WRONG_TYPE /token', 'CONFIG_WRONG_TYPE /retries']);
  });
});

describe('validateConfig', () => {
  it('takes a blank text for none, as the host does', () => {
    const schema = schemaOf('{ a: {type: string, required: true}, b: {type: string, default: x}, c: {type: string} }');
    expect(validateConfig(schema, { a: ' ', b: '', c: '' })).toMatchObject({
      config: { b: 'x' },
      problems: [{ code: 'CONFIG_MISSING', path: '/a' }],
    });
  });
  it('takes null and undefined for none', () => {
    const schema = schemaOf('{ a: {type: integer, default: 1} }');
    expect(validateConfig(schema, { a: null }).config).toEqual({ a: 1 });
    expect(validateConfig(schema, { a: undefined, b: undefined })).toMatchObject({ config: { a: 1 }, problems: [] });
  });
  it('says which key was meant, and never a value', () => {
    const schema = schemaOf('{ api_key: {type: string, secret: true, pattern: "^sk-", max_length: 9}, n: {type: integer, secret: true} }');
    const secret = 'hunter2-hunter2';
    const { problems } = validateConfig(schema, { api_key: secret, n: secret, api_kye: secret });
    expect(problems.map((problem) => problem.code)).toEqual(['CONFIG_UNKNOWN_KEY', 'CONFIG_OUT_OF_RANGE', 'CONFIG_PATTERN', 'CONFIG_WRONG_TYPE']);
    expect(problems[0]?.message).toContain('did you mean api_key?');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
  it.each([
    ['string', ['x'], [1, true, [], {}]],
    ['integer', [0, -5], [1.5, '1', Number.NaN, 2 ** 53, 1n]],
    ['number', [0, 1.5], ['1', Number.NaN, Number.POSITIVE_INFINITY]],
    ['boolean', [true, false], ['true', 1, 0]],
    ['list', [[], [1]], [{}, 'x']],
    ['map', [{}, { a: 1 }], [[], 'x']],
    ['array', [[]], [{}]],
    ['object', [{}], [[]]],
  ] as const)('knows values of the type %s', (type, good, bad) => {
    const schema = schemaOf(`{ a: {type: ${type}} }`);
    for (const value of good) expect(codesOf(schema, { a: value })).toEqual([]);
    for (const value of bad) expect(codesOf(schema, { a: value })).toEqual(['CONFIG_WRONG_TYPE /a']);
  });
  it('checks the items of lists and the fields of maps, with their places', () => {
    const schema = schemaOf(
      '{ l: {type: list, item_type: integer, min_items: 1, max_items: 2}, m: {type: map, properties: {s: {type: string, required: true, secret: true}, d: {type: integer, default: 7}}}, j: {type: array, items: {type: string, enum: [a]}} }',
    );
    expect(codesOf(schema, { l: [1, 'x'], m: { t: 1 }, j: ['b'] })).toEqual([
      'CONFIG_WRONG_TYPE /l/1',
      'CONFIG_UNKNOWN_KEY /m/t',
      'CONFIG_MISSING /m/s',
      'CONFIG_NOT_ALLOWED /j/0',
    ]);
    expect(codesOf(schema, { l: [] })).toEqual(['CONFIG_OUT_OF_RANGE /l']);
    expect(validateConfig(schema, { m: { s: 'x' } })).toMatchObject({ config: { m: { s: 'x', d: 7 } }, secretKeys: ['m'] });
  });
  it('takes other keys only where the schema says so', () => {
    expect(validateConfig(schemaOf('{type: object, additionalProperties: true, properties: {}}'), { x: 1 })).toEqual({
      config: { x: 1 },
      secretKeys: [],
      problems: [],
    });
    expect(codesOf(schemaOf('{type: object, properties: {}}'), { x: 1 })).toEqual(['CONFIG_UNKNOWN_KEY /x']);
  });
  it('is not fooled by names of Object.prototype', () => {
    const schema = schemaOf('{ constructor: {type: string, required: true} }');
    expect(codesOf(schema, {})).toEqual(['CONFIG_MISSING /constructor']);
    expect(codesOf(schemaOf('{ a: {} }'), JSON.parse('{"__proto__": {"polluted": true}}'))).toEqual(['CONFIG_UNKNOWN_KEY /__proto__']);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
  it('has no fields without a schema', () => {
    expect(codesOf(parse(runnable).manifest!.configSchema, { a: 1 })).toEqual(['CONFIG_UNKNOWN_KEY /a']);
  });
  it('knows its codes', () => {
    expect(Object.keys(configProblemCodes)).toEqual([
      'CONFIG_MISSING',
      'CONFIG_UNKNOWN_KEY',
      'CONFIG_WRONG_TYPE',
      'CONFIG_OUT_OF_RANGE',
      'CONFIG_NOT_ALLOWED',
      'CONFIG_PATTERN',
    ]);
  });
});

describe('parseConfig', () => {
  it('returns the configuration or throws INVALID_CONFIG with the problems', () => {
    const schema = schemaOf(dialects.map);
    expect(parseConfig(schema, { token: 't' })).toEqual({ config: { token: 't', retries: 3 }, secretKeys: ['token'] });
    let thrown: unknown;
    try {
      parseConfig(schema, { retries: -1 });
    } catch (error) {
      thrown = error;
    }
    if (!isWorkerRuntimeError(thrown, 'INVALID_CONFIG')) throw thrown;
    expect(thrown.details.problems).toHaveLength(2);
    expect(thrown.message).toBe('The configuration does not fit: token is required; set it. (and 1 more)');
  });
});
