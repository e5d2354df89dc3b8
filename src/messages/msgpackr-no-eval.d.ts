// The part of msgpackr that the codec uses; msgpackr ships no types for this entry. Only codec.ts sees it.
declare module 'msgpackr/index-no-eval' {
  export class Packr {
    constructor(options: {
      readonly useRecords: false;
      readonly mapsAsObjects: true;
      readonly structuredClone: false;
      readonly int64AsType: 'auto';
      readonly moreTypes: false;
      readonly bundleStrings: false;
      readonly copyBuffers: false;
      readonly encodeUndefinedAsNil: true;
      readonly variableMapSize: true;
      readonly useToJSON: false;
    });
    encode(value: unknown): Uint8Array;
    decode(body: Uint8Array): unknown;
    useBuffer(buffer: Uint8Array): void;
  }
}
