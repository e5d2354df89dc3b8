import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

test('[host.first-result] the first snippet of the README does what it says', async () => {
  const { code, stdout, stderr } = await runProgram(['examples/quickstart/service.mjs']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(stdout).toContain("summarizer published { summary: 'One thing' }");
  expect(stdout).toContain('\nOne thing\n');
  expect(stdout).toContain('as fast as it is read 6 words');
});
