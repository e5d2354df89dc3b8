import type { ErrorCode } from '../../errors/codes.js';
import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';

/** What is known of a peer that was refused, for the audit. */
export interface RefusedPeer {
  /** Of an installed plugin only: what a stranger says enters no record. */
  readonly pluginId?: string | undefined;
  readonly tokenId?: string | undefined;
}

/** Why a peer that dialled in is not let in: what it is told, and what the audit is told. */
export class Refusal extends WorkerRuntimeError {
  /** A sentence for the audit. */
  readonly why: string;
  readonly known: RefusedPeer;

  constructor(code: ErrorCode, told: string, why: string, known: RefusedPeer = {}) {
    super(code, told);
    this.why = why;
    this.known = known;
  }
}

/** The one answer to a wrong, spent, expired or foreign token, an unknown plugin and a manifest that differs: nobody learns by trying. */
export function unauthenticated(why: string, known?: RefusedPeer): Refusal {
  return new Refusal('UNAUTHENTICATED', 'The host does not accept this token here; its audit says why.', why, known);
}
