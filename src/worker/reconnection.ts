import type { Connection } from '../interfaces/transport.js';

/** Another connection of the same worker. */
export interface Reconnection {
  /** Its handshake is over, and it has not been started. */
  readonly connection: Connection;
  /** Where it comes from, for people. */
  readonly description: string;
  breakOff(message: string): void;
}
