/** As Node's TLS takes it. */
export function asPem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** As Node's TLS takes them. */
export function authorities(ca: string | Uint8Array | readonly (string | Uint8Array)[]): (string | Buffer)[] {
  return typeof ca === 'string' || ca instanceof Uint8Array ? [asPem(ca)] : ca.map(asPem);
}
