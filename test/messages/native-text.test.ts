import { afterEach, expect, test } from 'vitest';
import { findNativeText, type NativeText } from '../../src/messages/strict-codec/native-text.js';

const { Buffer: realBuffer } = globalThis;
afterEach(() => {
  globalThis.Buffer = realBuffer;
});

/** Gives the platform's byte arrays other text methods. */
function pretend(methods: Partial<NativeText>): void {
  const prototype = {
    latin1Slice: realBuffer.prototype.latin1Slice,
    utf8Slice: realBuffer.prototype.utf8Slice,
    utf8Write: realBuffer.prototype.utf8Write,
  };
  globalThis.Buffer = {
    byteLength: methods.byteLength ?? realBuffer.byteLength,
    prototype: { ...prototype, ...methods },
  } as unknown as typeof Buffer;
}

test('Node has text methods that do what is expected of them', () => {
  expect(findNativeText()).toBeDefined();
  pretend({});
  expect(findNativeText()).toBeDefined();
});

test('where there are none, or they do something else, they are not used', () => {
  globalThis.Buffer = undefined as unknown as typeof Buffer;
  expect(findNativeText()).toBeUndefined();
  const decode = (options: { fatal?: boolean; ignoreBOM?: boolean }) =>
    function (this: Uint8Array, from: number, to: number): string {
      return new TextDecoder('utf-8', options).decode(this.subarray(from, to));
    };
  for (const methods of [
    // Drops U+FEFF; refuses instead of replacing; keeps surrogates; writes nothing.
    { utf8Slice: decode({}) },
    { utf8Slice: decode({ fatal: true, ignoreBOM: true }) },
    {
      utf8Slice(this: Uint8Array, from: number, to: number): string {
        return this[from] === 0xed && this[from + 1] === 0xa0 ? '\ud800' : decode({ ignoreBOM: true }).call(this, from, to);
      },
    },
    { utf8Write: () => 0 },
    { latin1Slice: decode({ ignoreBOM: true }) },
    { byteLength: (text: string) => text.length },
  ]) {
    pretend(methods);
    expect(findNativeText()).toBeUndefined();
  }
  pretend({ utf8Slice: decode({ ignoreBOM: true }) });
  expect(findNativeText()).toBeDefined();
});
