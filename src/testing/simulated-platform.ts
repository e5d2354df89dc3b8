import { seededFraction } from '../../transports/memory/seeded-fraction.js';
import type { Platform } from '../interfaces/platform.js';
import { sha256 } from './sha256.js';
import { SimulatedClock } from './simulated-clock.js';

/** Options of {@link createSimulatedPlatform}. */
export interface SimulatedPlatformOptions {
  /** Seed of the random numbers: the same seed gives the same run. Default 1. */
  readonly seed?: number;
  /** Default: a new one. */
  readonly clock?: SimulatedClock;
}

/** A platform for tests: its time and its chance are the test's. */
export interface SimulatedPlatform extends Platform {
  /** Moves when the test says so. */
  readonly clock: SimulatedClock;
}

/**
 * Makes a platform whose clock passes when the test says so and whose random bytes follow from a seed. Never for anything but tests: its
 * secrets can be guessed.
 */
export function createSimulatedPlatform(options: SimulatedPlatformOptions = {}): SimulatedPlatform {
  const fraction = seededFraction(options.seed ?? 1);
  return {
    clock: options.clock ?? new SimulatedClock(),
    random: {
      bytes: (length) => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)),
      fraction,
    },
    crypto: { sha256 },
  };
}
