// Prints "passed failed skipped" of one report: Vitest's JSON, or the JUnit XML of pytest. Plain JavaScript: it must run whatever else is broken.
import { readFileSync } from 'node:fs';

const file = process.argv[2] ?? '';
const text = readFileSync(file, 'utf8');
let passed;
let failed;
let skipped;
if (file.endsWith('.json')) {
  ({ numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = JSON.parse(text));
} else {
  const attribute = (name) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)?.[1]);
  failed = attribute('failures') + attribute('errors');
  skipped = attribute('skipped');
  passed = attribute('tests') - failed - skipped;
}
if (![passed, failed, skipped].every(Number.isInteger)) throw new Error(`${file} holds no counts`);
console.log(passed, failed, skipped);
