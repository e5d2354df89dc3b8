/** Largest id, nonce, count and duration: 2^53, the last integer that a double counts up to. */
export const maxInteger = 2 ** 53;
/** Largest grant of credit in one message, in bytes. */
export const maxCreditBytes = 2 ** 31 - 1;
/** Largest value of the flags of a request. */
export const maxFlags = 255;
/** Longest method, in bytes. */
export const maxMethodBytes = 256;
/** Longest idempotency key and longest `actingFor`, in bytes of UTF-8. */
export const maxKeyBytes = 256;
/** Longest traceparent, in bytes of UTF-8. */
export const maxTraceparentBytes = 128;
/** Longest other string of a message, in bytes of UTF-8; senders cut sentences for people to it. */
export const maxTextBytes = 4_096;
/** Longest manifest that a worker may bring, in bytes of UTF-8. */
export const maxManifestBytes = 65_536;
/** Senders cut stacks to this many bytes of UTF-8. */
export const maxStackBytes = 16_384;
/** Kinds from this number on are ignored by a receiver that does not know them. */
export const firstIgnoredKind = 64;

/** For each ASCII character: 0 = not in a method's name, 1 = not at its beginning, 2 = anywhere. */
const methodCharacters = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[A-Za-z_]/.test(character) ? 2 : /[0-9./-]/.test(character) ? 1 : 0;
});

/** Whether a string is a method's name: 1 to 256 bytes, letters, digits and `_ . / -`, not beginning with a digit or a sign. */
export function isMethod(name: string): boolean {
  const { length } = name;
  // By hand: the same as a regular expression takes a tenth of the time of a whole call.
  if (length === 0 || length > maxMethodBytes || methodCharacters[name.charCodeAt(0)] !== 2) return false;
  for (let index = 1; index < length; index += 1) {
    const kind = methodCharacters[name.charCodeAt(index)];
    if (kind === undefined || kind === 0) return false;
  }
  return true;
}
