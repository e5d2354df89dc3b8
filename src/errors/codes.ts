/** What a code means to a caller: whether repeating the very same request may succeed. */
interface CodeTraits {
  readonly retryable: boolean;
  readonly meaning: string;
}

/**
 * The closed table of error codes. `docs/errors.md` is generated from it; a test compares the two.
 * Codes never change their meaning; a new situation gets a new code.
 */
export const errorCodes = {
  // Outcomes of a call
  CAPABILITY_DENIED: { retryable: false, meaning: 'The policy denied the capability or the scope that this method needs.' },
  CONFIRMATION_REQUIRED: { retryable: true, meaning: 'The policy wants a confirmation for this call and nobody gave one in time.' },
  APPROVAL_REQUIRED: { retryable: false, meaning: 'The plugin requests capabilities that nobody has approved yet; the error carries the plan.' },
  METHOD_NOT_FOUND: { retryable: false, meaning: 'The other side has no method of this name.' },
  INVALID_PARAMS: { retryable: false, meaning: 'The params do not fit the schema of the method.' },
  INVALID_RESULT: { retryable: false, meaning: 'The handler returned a value that does not fit the schema of the method.' },
  INVALID_VALUE: { retryable: false, meaning: 'The value cannot be carried by the protocol and was refused before it was sent.' },
  HANDLER_ERROR: { retryable: false, meaning: "The handler failed; `handlerCode` is the plugin author's own code where one was given." },
  DEADLINE_EXCEEDED: { retryable: true, meaning: 'The call did not end within its time limit.' },
  CANCELLED: { retryable: false, meaning: 'The call was cancelled by its caller.' },
  OVERLOADED: { retryable: true, meaning: 'A limit on calls in flight or on queued bytes is reached; nothing was started.' },
  DRAINING: { retryable: true, meaning: 'The other side is about to stop and takes no new calls.' },
  CALL_CYCLE: { retryable: false, meaning: 'The call would enter a method that is already waiting for it.' },
  STREAM_CONSUMED: { retryable: false, meaning: 'A stream can be iterated once.' },
  // Outcomes that depend on the state of a plugin or worker
  WORKER_UNAVAILABLE: { retryable: true, meaning: 'The plugin has no worker that could take the call; the error carries the reason.' },
  WORKER_LOST: { retryable: false, meaning: 'The worker ended while the call was in flight; `mayHaveRun` says whether it may have had an effect.' },
  HOST_LOST: { retryable: false, meaning: 'The connection to the host ended while the call was in flight.' },
  START_FAILED: { retryable: true, meaning: 'The worker did not become ready; the error carries the reason.' },
  PLUGIN_NOT_FOUND: { retryable: false, meaning: 'No plugin of this id is installed.' },
  HOST_STOPPED: { retryable: false, meaning: 'The host is stopping or was stopped.' },
  // The wire
  FRAME_TOO_LARGE: { retryable: false, meaning: 'The message is larger than the frame limit; use a stream.' },
  PROTOCOL_ERROR: { retryable: false, meaning: 'The other side broke a rule of the protocol.' },
  CONNECTION_CLOSED: { retryable: true, meaning: 'The connection is closed.' },
  CONNECTION_LOST: { retryable: true, meaning: 'The connection broke.' },
  SLOW_READER: { retryable: false, meaning: 'The other side does not read what is sent to it; the session was ended to bound memory.' },
  HANDSHAKE_INVALID: { retryable: false, meaning: 'The hello or the welcome is not acceptable.' },
  HANDSHAKE_TIMEOUT: { retryable: true, meaning: 'The handshake did not end in time.' },
  UNSUPPORTED_VERSION: { retryable: false, meaning: 'The two sides have no protocol version in common.' },
  MISSING_FEATURE: { retryable: false, meaning: 'One side requires a feature that the other side lacks.' },
  UNAUTHENTICATED: { retryable: false, meaning: 'The token is not acceptable.' },
  // What an embedder or author got wrong
  INVALID_ARGUMENT: { retryable: false, meaning: 'An argument or option of the library is not acceptable.' },
  INVALID_MANIFEST: { retryable: false, meaning: 'The manifest has errors; the error carries the problems.' },
  INVALID_CONFIG: { retryable: false, meaning: "The configuration does not fit the plugin's config_schema." },
  INVALID_POLICY: { retryable: false, meaning: 'The policy document has errors; the error carries the problems.' },
  INVALID_STATE: { retryable: false, meaning: 'The operation is not possible in the present state.' },
  UNGUARDED_METHOD: { retryable: false, meaning: 'A service method neither names a capability nor is declared baseline.' },
  UNUSED_CAPABILITY: { retryable: false, meaning: 'A capability of the catalogue guards nothing.' },
  UNKNOWN_CAPABILITY: { retryable: false, meaning: 'The catalogue has no capability of this name.' },
  QUOTA_EXCEEDED: { retryable: false, meaning: 'A quota is used up, as that of a plugin storage.' },
  INTERNAL_ERROR: { retryable: false, meaning: 'A defect of this library; please report it.' },
} as const satisfies Record<string, CodeTraits>;

/** A stable code of this library. Match on it; never on a message. */
export type ErrorCode = keyof typeof errorCodes;

/** Whether `code` is one that this version of the library knows. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
