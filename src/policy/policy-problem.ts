/** What can be wrong with a policy document. */
export type PolicyProblemCode = 'INVALID_FORM' | 'UNKNOWN_FIELD' | 'UNKNOWN_CAPABILITY' | 'INVALID_SCOPE';

/** One thing that is wrong with a policy document: the same shape as a problem of a manifest. */
export interface PolicyProblem {
  /** Always an error: a policy that is not wholly understood is not used. */
  readonly severity: 'error';
  /** What it is about. Match on it; never on the message. */
  readonly code: PolicyProblemCode;
  /** JSON Pointer (RFC 6901) into the document; empty for the whole of it. */
  readonly path: string;
  /** 1-based; absent where the document was not read from text. */
  readonly line?: number;
  /** 1-based; absent where the document was not read from text. */
  readonly column?: number;
  /** A sentence with the repair. */
  readonly message: string;
}

/** The JSON Pointer of a path of keys. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
