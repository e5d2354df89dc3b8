export { type ErrorCode, errorCodes, isErrorCode } from './codes.js';
export { PluginError } from './plugin-error.js';
export { type Reason, type ReasonCode, reasonCodes } from './reason.js';
export { isWorkerRuntimeError, WorkerRuntimeError, type WorkerRuntimeErrorOptions } from './worker-runtime-error.js';
