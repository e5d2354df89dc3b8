import { describe, expect, it } from 'vitest';
import { problemCodes } from '../../src/manifest/index.js';
import { allCodes, folderCodes, problemCases, runCase } from './problem-cases.js';

describe('every problem code', () => {
  it('is triggered by a case here or by a folder', () => {
    expect([...Object.keys(problemCases), ...folderCodes].sort()).toEqual([...allCodes].sort());
  });

  for (const [code, cases] of Object.entries(problemCases)) {
    for (const [index, problemCase] of cases.entries()) {
      it(`${code} ${index + 1}: at its place, with its severity and the repair`, () => {
        const { result, line, column } = runCase(problemCase);
        const found = result.problems.filter((problem) => problem.code === code);
        const { severity } = problemCodes[code as keyof typeof problemCodes];
        expect(found).toContainEqual({ severity, code, path: problemCase.path, line, column, message: expect.stringContaining(problemCase.says) });
        expect(result.valid).toBe(result.problems.every((problem) => problem.severity === 'warning'));
        expect(result.manifest === undefined).toBe(!result.valid);
        if (severity === 'error') expect(result.valid).toBe(false);
      });
    }
  }
});
