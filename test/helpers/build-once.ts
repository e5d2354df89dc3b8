import { ensureBuilt } from '../../scripts/build.js';

/** Global setup of the tests that start programs: they run out of `dist`. */
export default async function buildOnce(): Promise<void> {
  await ensureBuilt({ types: false });
}
