import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { approvalsFile } from '../../examples/embedding/approvals-file.js';
import { withRetry } from '../../examples/embedding/retry.js';
import { type Grant, type Reason, WorkerRuntimeError, type WorkerRuntimeErrorOptions } from '../../src/index.js';
import { runProgram } from './run-program.js';

let folder: string;
let approvals: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'embedding-'));
  approvals = join(folder, 'approvals.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the program of docs/embedding.md', () => {
  const run = () => runProgram(['--import', 'tsx', 'examples/embedding/main.ts', approvals]);

  test('does what the page says, and asks for approval once', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run();
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('letters asks to be allowed\n  needs-approval: to send mail to example.com (risk: high).');
    expect(stdout).toContain("letters info: ready { key: '[secret]' }\n");
    expect(stdout).not.toContain('a-key-that-nobody-sees');
    expect(stdout).toContain('33 %: to\n67 %: be\n100 %: read\n3 words\n');
    expect(stdout).toContain('sent 10 10\n');
    expect(stdout.match(/^mail to ada@example\.com/gm)).toHaveLength(1);
    expect(stdout).toContain('DEADLINE_EXCEEDED, may have run\nCANCELLED, may have run\n');
    expect(stdout).toMatch(/^denied to letters: The policy denies the plugin mail\.send on domain "db\.internal\.example\.com"\. \(decision \S+\)$/m);
    expect(stdout).toContain('CAPABILITY_DENIED mail.send {"domains":["db.internal.example.com"]}\nHANDLER_ERROR (spam)\n');
    expect(stdout).toContain('  Dear Ada,\n  thank you.\n2 lines\nfirst: tick 0\n');
    expect(stdout).toMatch(/^CANCELLED$/m);
    expect(stdout.match(/^the input has ended$/gm)).toHaveLength(1);
    expect(stdout).toContain("letters.sent from letters { to: 'bob@example.com' }");
    expect(stdout.endsWith('3 calls with a limit of 2\n"letters" is disabled: The plugin was disabled. Enable the plugin.\n')).toBe(true);

    expect(JSON.parse(readFileSync(approvals, 'utf8'))).toMatchObject([
      { capability: 'mail.send', scope: { domains: ['example.com'] }, by: 'grace@example.com' },
    ]);
    const again = await run();
    expect(again.code).toBe(0);
    expect(again.stdout).not.toContain('asks to be allowed');
    expect(again.stdout).toContain('sent 10 10\n');
  });
});

describe('its retry loop', () => {
  const reason = (code: Reason['code'], nextRetryAt: string | null = null): Reason => ({
    code,
    message: '',
    since: '2026-01-01T00:00:00.000Z',
    exitCode: null,
    signal: null,
    stderrTail: '',
    restarts: 0,
    nextRetryAt,
    action: '',
  });
  const failing = (times: number, code: string, options: WorkerRuntimeErrorOptions = {}) => {
    const call = vi.fn(async () => {
      if (call.mock.calls.length <= times) throw new WorkerRuntimeError(code, code, options);
      return 'done';
    });
    return call;
  };

  test.each([
    ['OVERLOADED', { mayHaveRun: false }],
    ['WORKER_UNAVAILABLE', { reason: reason('STARTING') }],
    ['WORKER_UNAVAILABLE', { reason: reason('EXITED', '2026-01-01T00:00:01.000Z') }],
  ])('repeats %s %o', async (code, options) => {
    const call = failing(2, code, options);
    expect(await withRetry(call)).toBe('done');
    expect(call).toHaveBeenCalledTimes(3);
  });

  test.each([
    ['CAPABILITY_DENIED', {}],
    ['WORKER_LOST', { mayHaveRun: false, reason: reason('EXITED') }],
    ['DEADLINE_EXCEEDED', { mayHaveRun: true }],
    ['WORKER_UNAVAILABLE', { reason: reason('DISABLED') }],
    ['WORKER_UNAVAILABLE', { reason: reason('EXITED') }],
    ['WORKER_UNAVAILABLE', { reason: reason('APPROVAL_REQUIRED') }],
  ])('does not repeat %s %o', async (code, options) => {
    const call = failing(1, code, options);
    await expect(withRetry(call)).rejects.toMatchObject({ code });
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('repeats what may have run only if that does no harm', async () => {
    expect(await withRetry(failing(1, 'DEADLINE_EXCEEDED', { mayHaveRun: true }), { idempotent: true })).toBe('done');
  });

  test('ends after its attempts, and with its signal', async () => {
    const call = failing(9, 'OVERLOADED');
    await expect(withRetry(call, { attempts: 2 })).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(call).toHaveBeenCalledTimes(2);
    await expect(withRetry(failing(9, 'OVERLOADED'), { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('its file of approvals', () => {
  const grant = (id: string, pluginId = 'letters'): Grant => ({
    id,
    pluginId,
    manifestDigest: 'a'.repeat(64),
    capability: 'storage.read',
    scope: { keys: ['*'] },
    by: 'ada',
    grantedAt: '2026-01-01T00:00:00.000Z',
  });

  test('keeps them across restarts, for its owner alone', async () => {
    const store = approvalsFile(approvals);
    await store.add([grant('1'), grant('2', 'other')]);
    expect(await approvalsFile(approvals).list({ pluginId: 'letters' })).toEqual([grant('1')]);
    expect(statSync(approvals).mode & 0o777).toBe(0o600);
    expect(await store.remove(['1', 'unknown'])).toEqual([grant('1')]);
    expect(await approvalsFile(approvals).list()).toEqual([grant('2', 'other')]);
  });

  test('takes no id twice, and all or none', async () => {
    const store = approvalsFile(approvals);
    await store.add([grant('1')]);
    await expect(store.add([grant('2'), grant('1')])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await store.list()).toEqual([grant('1')]);
  });

  test('that cannot be read stops the host', () => {
    writeFileSync(approvals, '[{');
    expect(() => approvalsFile(approvals)).toThrow(SyntaxError);
  });
});
