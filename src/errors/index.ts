export { type ErrorCode, errorCodes, isErrorCode } from './codes.js';
export { type Reason, type ReasonCode, reasonCodes } from './reason.js';
export { PluginError } from './plugin-error.js';
export { fromWireError, toWireError, type WireError } from './wire-error.js';
export { isWorkerRuntimeError, WorkerRuntimeError, type WorkerRuntimeErrorOptions } from './worker-runtime-error.js';
