import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { builtinCapabilities } from '../../src/capabilities/builtin-capabilities.js';
import { createCatalogue } from '../../src/capabilities/catalogue.js';
import { grantWord, parseGrantWord, shellQuote } from '../../src/cli/grant-words.js';

const catalogue = createCatalogue(builtinCapabilities);
const scopeOf = (word: string) => parseGrantWord(word, catalogue).scope;

describe('a word of --grant', () => {
  test('without a scope means what the manifest requests', () => {
    expect(parseGrantWord('events.publish', catalogue)).toEqual({ capability: catalogue.get('events.publish'), scope: undefined });
  });

  test('names fields and values; what is left out reaches everything', () => {
    expect(scopeOf('events.publish:topics=mail.*')).toEqual({ topics: ['mail.*'] });
    expect(scopeOf('storage.write:keys=b/*,a/*')).toEqual({ keys: ['a/*', 'b/*'] });
    expect(scopeOf('network.http:hosts=api.example.com,[::1];ports=443')).toEqual({
      hosts: ['::1', 'api.example.com'],
      methods: ['*'],
      ports: ['443'],
      schemes: ['*'],
    });
  });

  test('may leave out the name of an only field', () => {
    expect(scopeOf('storage.write:a/*,b/*')).toEqual({ keys: ['a/*', 'b/*'] });
  });

  test('escapes what would mean something else', () => {
    expect(scopeOf(String.raw`storage.read:keys=a\,b,c\;d,e\=f,g\\`)).toEqual({ keys: ['a,b', 'c;d', 'e=f', 'g\\'] });
  });

  test.each([
    ['event.publish', /no capability "event\.publish"\. Did you mean "events\.publish"\?/],
    ['nonsense', /no capability "nonsense"\. The capabilities are /],
    ['constructor', /no capability "constructor"/],
    ['events.publish:', /topics: A topic is not empty/],
    ['events.publish:topic=a', /no field "topic"; did you mean topics/],
    ['events.publish:topics=a;topics=b', /"topics" stands there twice/],
    ['events.publish:topics=a=b', /backslash/],
    ['events.publish:topics=mail.s*', /whole segment/],
    ['events.publish:__proto__=a', /no field "__proto__"/],
    ['network.http:api.example.com', /name the fields of the scope: network\.http:hosts=/],
  ])('%s is refused, with the repair', (word, message) => {
    expect(() => parseGrantWord(word, catalogue)).toThrow(message);
    expect(() => parseGrantWord(word, catalogue)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  test('that was made for a scope reads back as that scope, whatever its values are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 }), (keys) => {
        const capability = catalogue.get('storage.write')!;
        const parsed = capability.parseScope({ keys });
        if (!('scope' in parsed)) return;
        expect(scopeOf(grantWord('storage.write', parsed.scope, capability))).toEqual(parsed.scope);
      }),
    );
    for (const scope of [
      { hosts: ['*'], methods: ['*'], ports: ['*'], schemes: ['*'] },
      { hosts: ['a.example', '*.b.example'], methods: ['GET'], ports: ['*'], schemes: ['*'] },
    ]) {
      const capability = catalogue.get('network.http')!;
      const parsed = capability.parseScope(scope);
      expect(scopeOf(grantWord('network.http', scope, capability))).toEqual('scope' in parsed ? parsed.scope : undefined);
    }
  });

  test('is quoted for a shell where it must be', () => {
    expect(shellQuote('events.publish:topics=mail.sent')).toBe('events.publish:topics=mail.sent');
    expect(shellQuote("storage.read:keys=a'b/*")).toBe(`'storage.read:keys=a'\\''b/*'`);
  });
});
