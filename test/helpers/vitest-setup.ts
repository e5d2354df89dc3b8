import { afterAll } from 'vitest';
import { watchForLeaks } from './leak-guard.js';

// Runs before each test file, in the process of that file. Vitest itself fails a run on an unhandled rejection.
const graceMs = Number(process.env.LEAK_GRACE_MS ?? 2_000);
const guard = watchForLeaks();

// Registered first, hence run last: after every hook and disposer of the file.
afterAll(async () => {
  const leaks = await guard.finish(graceMs);
  if (leaks.length > 0) throw new Error(`The tests of this file ended ${graceMs} ms ago and left behind:\n- ${leaks.join('\n- ')}`);
});
