import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { cli, cliJson, isRunning, startCli } from './run-cli.js';

const workbench = ['run', 'plugins/workbench', '--grant', 'storage.write', '--call'] as const;

// Most of these tests wait for processes, several at a time and perhaps on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'run-'));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(temporary, name);
  writeFileSync(path, text);
  return path;
}

/** The plugin's process, which the method `pid` names, must be gone with the command. */
async function pidOf(...args: readonly string[]): Promise<number> {
  const { stdout } = await cli(...args);
  return Number(stdout.split('\n')[0]);
}

describe.concurrent('[cli.run] a call', () => {
  test('prints the result as JSON on standard output, nothing else, and exits with 0', async () => {
    expect(await cli(...workbench, 'echo', '--params', '{"a":[1,null,"ä"]}')).toEqual({ status: 0, stdout: '{"a":[1,null,"ä"]}\n', stderr: '' });
  });

  test('leaves no process behind', async () => {
    const pid = await pidOf(...workbench, 'pid');
    expect(pid).toBeGreaterThan(1);
    expect(isRunning(pid)).toBe(false);
  });

  test('takes params from standard input and from a file; without any, an empty map', async () => {
    expect(await startCli([...workbench, 'echo', '--params', '-'], '{"from":"stdin"}').ended).toMatchObject({ stdout: '{"from":"stdin"}\n' });
    expect(await cli(...workbench, 'echo', '--params', `@${file('params.json', '{"from":"file"}')}`)).toMatchObject({ stdout: '{"from":"file"}\n' });
    expect(await cli(...workbench, 'echo')).toMatchObject({ stdout: '{}\n' });
  });

  test('shows values that JSON lacks', async () => {
    expect(await cliJson(...workbench, 'values')).toMatchObject({
      json: { ok: true, result: { large: '9223372036854775808', bytes: 'AAH/', time: '1970-01-01T00:00:00.000Z', nothing: null, none: null } },
    });
  });

  test('with --json prints exactly { ok, result, denials, logs }', async () => {
    const { status, json, stderr } = await cliJson(...workbench, 'slowly');
    expect({ status, json, stderr }).toEqual({ status: 0, json: { ok: true, result: 'done', denials: [], logs: [] }, stderr: '' });
  });

  test('shows progress on standard error', async () => {
    expect(await cli(...workbench, 'slowly')).toEqual({ status: 0, stdout: '"done"\n', stderr: 'progress: 50 % half\n' });
  });

  test('configures the plugin, and shows no secret', async () => {
    const config = file('config.yml', 'greeting: salut\ntoken: hunter2hunter2\n');
    expect(await cli(...workbench, 'config', '--config', config)).toMatchObject({ status: 0, stdout: '{"greeting":"salut"}\n' });
    const { stdout, stderr } = await cli(...workbench, 'print', '--config', config);
    expect(stderr).toContain('"token":"[secret]"');
    expect(stdout + stderr).not.toContain('hunter2');
  });
});

describe.concurrent('[cli.run] a stream', () => {
  test('prints each item on a line, then the result', async () => {
    expect(await cli(...workbench, 'count', '--params', '{"to":3}')).toEqual({ status: 0, stdout: '1\n2\n3\n{"counted":3}\n', stderr: '' });
    expect(await cliJson(...workbench, 'count', '--params', '{"to":0}')).toMatchObject({ json: { ok: true, result: { counted: 0 }, items: [] } });
  });

  test('prints what came before it failed', async () => {
    const { status, stdout, stderr } = await cli(...workbench, 'breaks');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '"first"\n' });
    expect(stderr).toBe("error: HANDLER_ERROR: The tape is torn.\n  the plugin's own code: TORN\n");
    expect(await cliJson(...workbench, 'breaks')).toMatchObject({
      status: 1,
      json: { ok: false, items: ['first'], error: { code: 'HANDLER_ERROR', handlerCode: 'TORN' } },
    });
  });

  test('arrives as it is made: whoever reads enough may leave', async () => {
    const running = startCli([...workbench, 'endless']);
    await running.until('"3 x');
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ status: 141 });
  });
});

describe.concurrent('[cli.run] a failure', () => {
  test('of a handler names its code, and exits with 1', async () => {
    expect(await cliJson(...workbench, 'refuse')).toMatchObject({
      status: 1,
      json: { ok: false, error: { code: 'HANDLER_ERROR', handlerCode: 'QUOTA_USED_UP', retryable: false }, denials: [], logs: [] },
    });
  });

  test('of a plugin that dies carries the reason and its last words', async () => {
    const { status, stdout, stderr } = await cli(...workbench, 'crash');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: WORKER_LOST: .*exit code 3/m);
    expect(stderr).toMatch(/^reason: EXITED: /m);
    expect(stderr).toMatch(/^ {2}\| out of cheese$/m);
    expect(await cliJson(...workbench, 'crash')).toMatchObject({
      json: { error: { code: 'WORKER_LOST', mayHaveRun: true, reason: { code: 'EXITED', exitCode: 3, stderrTail: 'out of cheese' } } },
    });
  });

  test('of a plugin that dies at its start carries them too', async () => {
    expect(await cliJson('run', 'plugins/leaves-at-start', '--call', 'any')).toMatchObject({
      status: 1,
      json: { ok: false, error: { code: 'START_FAILED', reason: { code: 'EXITED', exitCode: 4, stderrTail: 'the licence has expired' } } },
    });
  });

  test('to end in time is DEADLINE_EXCEEDED, with the limit', async () => {
    const { status, stderr } = await cli(...workbench, 'hang', '--timeout', '200');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: DEADLINE_EXCEEDED: /);
    expect(stderr).toMatch(/^The time limit of the call was 200 ms \(--timeout\)\.$/m);
  });

  test('for want of a method lists what there is', async () => {
    const { status, stderr } = await cli('run', 'plugins/mailer', '--grant', 'events.publish', '--call', 'sent');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: METHOD_NOT_FOUND: .*"send"/m);
    expect(stderr).toMatch(/^The plugin offers send, fail, receive\.$/m);
  });

  test('for a manifest that is not valid lists the problems', async () => {
    const folder = mkdtempSync(join(temporary, 'invalid-'));
    writeFileSync(join(folder, 'manifest.yml'), 'id: Wrong\n');
    const { status, stderr } = await cli('run', folder, '--call', 'any');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: INVALID_MANIFEST: /);
    expect(stderr).toMatch(/^ {2}1:5 error INVALID_ID /m);
  });
});

describe.concurrent('[cli.run] capabilities', () => {
  test('a denial names capability, missing scope and decision, as it happens', async () => {
    const { status, stderr } = await cli(...workbench, 'publish');
    expect(status).toBe(1);
    const decision = /^denied: events\.publish:topics=mail\.sent \(events\.publish; decision ([\w-]{21})\): .*"mail\.sent"/m.exec(stderr)?.[1];
    expect(decision).toBeDefined();
    expect(stderr).toContain(`"decisionId":"${decision}"`);
    expect(stderr).toMatch(/^error: CAPABILITY_DENIED: /m);
  });

  test('with --json each denial is an object', async () => {
    const { json } = await cliJson(...workbench, 'publish');
    const { denials, error } = json as { denials: Record<string, unknown>[]; error: { details: { decisionId: string } } };
    expect(denials).toEqual([
      {
        effect: 'deny',
        capability: 'events.publish',
        scope: { topics: ['mail.sent'] },
        method: 'events.publish',
        decisionId: error.details.decisionId,
        reason: expect.stringContaining('mail.sent'),
        rule: null,
      },
    ]);
  });

  test('what needs approval is planned, with the words that allow it; these words then do', async () => {
    const { status, stdout, stderr } = await cli('run', 'plugins/mailer', '--call', 'send', '--params', '{"to":"a"}');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^error: APPROVAL_REQUIRED: /),
      'what the plugin requests:',
      expect.stringMatching(
        /^ {2}needs approval, medium risk: publish events: mail\.failed and mail\.sent\. .*Its author says: Says what became of a mail\.$/,
      ),
      expect.stringMatching(/^ {2}needs approval, medium risk: send messages .* \(optional\)\. /),
      'to allow it: --grant events.publish:topics=mail.failed,mail.sent',
      'to allow what is optional: --grant agents.message:channels=mail',
      '',
    ]);
    const { json } = await cliJson('run', 'plugins/mailer', '--call', 'send');
    const { grants, plan } = (json as { error: { details: { grants: string[]; plan: object } } }).error.details;
    expect(plan).toMatchObject({ status: 'needs-approval', items: [{ outcome: 'needs-approval' }, { outcome: 'needs-approval', optional: true }] });
    const words = grants.flatMap((word) => ['--grant', word]);
    expect(await cliJson('run', 'plugins/mailer', '--call', 'send', '--params', '{"to":"a"}', ...words)).toMatchObject({
      status: 0,
      json: { ok: true, result: { sent: 'a' } },
    });
  });

  test('scopes that cover a request together are as good as one', async () => {
    const words = ['--grant', 'events.publish:mail.sent', '--grant', 'events.publish:mail.failed'];
    expect(await cli('run', 'plugins/mailer', '--call', 'fail', '--params', '{"to":"a"}', ...words)).toMatchObject({
      status: 0,
      stdout: '{"failed":"a"}\n',
    });
  });

  test('of an optional request a part can be granted, and only that part is', async () => {
    const args = ['run', 'plugins/workbench', '--grant', 'storage.write:keys=drafts/*', '--call', 'store', '--params'];
    expect(await cliJson(...args, '{"key":"drafts/1"}')).toMatchObject({ status: 0, json: { ok: true, denials: [] } });
    expect(await cliJson(...args, '{"key":"outbox/1"}')).toMatchObject({
      status: 1,
      json: { denials: [{ capability: 'storage.write', scope: { keys: ['outbox/1'] } }] },
    });
  });

  test.each([
    ['events.publish:topics=mail.*', /is more than "mailer" requests; at most events\.publish:topics=mail\.failed,mail\.sent can be granted/],
    ['storage.write', /"mailer" does not request it \(it requests events\.publish, agents\.message\)/],
  ])('--grant %s', async (word, message) => {
    const { status, stderr } = await cli(
      'run',
      'plugins/mailer',
      '--call',
      'send',
      '--params',
      '{"to":"a"}',
      '--grant',
      word,
      '--grant',
      'agents.message',
    );
    expect(stderr).toMatch(message);
    expect(status).toBe(stderr === '' ? 0 : 2);
  });

  test('a policy grants and denies, by rules that are named', async () => {
    const policy = file(
      'policy.yml',
      'version: 1\nrules:\n  - { effect: allow, trust: [community], capability: events.publish, scope: { topics: [mail.*] } }\n  - { effect: deny, capability: agents.message, reason: "not here" }\n',
    );
    const args = ['run', 'plugins/mailer', '--policy', policy, '--call', 'send', '--params', '{"to":"a"}'];
    const allowed = await cli(...args, '--trust', 'community');
    expect(allowed).toMatchObject({ status: 0, stdout: '{"sent":"a"}\n' });
    expect(allowed.stderr).toMatch(/^goes without: denied, medium risk: .*\(optional; by .*policy\.yml:4, "not here"\)/);
    expect(await cli(...args)).toMatchObject({ status: 1, stderr: expect.stringContaining('APPROVAL_REQUIRED') });
    expect(await cli(...args, '--trust', 'community', '--grant', 'agents.message')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^error: CAPABILITY_DENIED: --grant agents\.message/),
    });
  });

  test('a message for the agents is shown and accepted', async () => {
    const message = { channelId: 'mail', externalUserId: 'u', conversationId: 'c', text: 'hi', receivedAt: '2026-01-01T00:00:00Z' };
    const args = ['run', 'plugins/mailer', '--grant', 'events.publish', '--grant', 'agents.message', '--call', 'receive', '--params'];
    const { status, stdout, stderr } = await cli(...args, JSON.stringify(message));
    expect({ status, stdout }).toEqual({ status: 0, stdout: '{"accepted":true}\n' });
    expect(JSON.parse(stderr.replace(/^message: /, ''))).toMatchObject(message);
  });
});

describe.concurrent('[cli.run] it is called wrongly', () => {
  test.each([
    ['no method', ['run', 'plugins/mailer'], /--call/],
    ['an unknown option', ['run', 'plugins/mailer', '--call', 'x', '--nonsense'], /--nonsense/],
    ['a trust tier that does not exist', ['run', 'plugins/mailer', '--call', 'x', '--trust', 'root'], /official, community, unverified/],
    ['a time that is none', ['run', 'plugins/mailer', '--call', 'x', '--timeout', '1s'], /milliseconds/],
    ['a folder that does not exist', ['run', 'plugins/nowhere', '--call', 'x'], /nowhere does not exist/],
    ['a file', ['run', 'plugins/mailer/manifest.yml', '--call', 'x'], /is not a folder/],
    ['params that are not JSON', ['run', 'plugins/mailer', '--call', 'x', '--params', '{to:1}'], /--params: the text is not JSON/],
    [
      'params of a file that does not exist',
      ['run', 'plugins/mailer', '--call', 'x', '--params', '@nowhere.json'],
      /--params: nowhere\.json cannot be read \(ENOENT\)/,
    ],
    ['a policy that does not exist', ['run', 'plugins/mailer', '--call', 'x', '--policy', 'nowhere.yml'], /--policy: nowhere\.yml/],
    [
      'a configuration that is no map',
      ['run', 'plugins/mailer', '--call', 'x', '--config', 'plugins/mailer/main.js'],
      /--config: plugins\/mailer\/main\.js:\d+:\d+: /,
    ],
    [
      'a configuration that does not fit',
      ['run', 'plugins/mailer', '--call', 'x', '--config', 'plugins/mailer/manifest.yml'],
      /\/id error CONFIG_UNKNOWN_KEY/,
    ],
    [
      'a policy with errors',
      ['run', 'plugins/mailer', '--call', 'x', '--policy', 'plugins/mailer/manifest.yml'],
      /INVALID_POLICY: plugins\/mailer\/manifest\.yml, line \d+: /,
    ],
  ])('%s: exit 2, standard output empty', async (_what, args, message) => {
    const { status, stdout, stderr } = await cli(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  test('once the options are understood, --json says it as an object too', async () => {
    expect(await cliJson('run', 'plugins/mailer', '--call', 'x', '--params', '{')).toMatchObject({
      status: 2,
      json: { ok: false, error: { code: 'INVALID_ARGUMENT' }, denials: [], logs: [] },
    });
  });
});

describe.concurrent('[cli.run] what a plugin says', () => {
  test('commands no terminal and forges no line', async () => {
    for (const method of ['print', 'refuse']) {
      const { stdout, stderr } = await cli(...workbench, method);
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(stderr).not.toMatch(/^denied/m);
    }
  });

  test('arrives in the logs of --json, with its source', async () => {
    const { json } = await cliJson(...workbench, 'print');
    const { logs } = json as { logs: readonly { source: string; level: string; message: string; fields: object }[] };
    expect(logs).toContainEqual({ level: 'warn', source: 'stderr', message: 'to standard error', fields: {} });
    expect(logs).toContainEqual({ level: 'info', source: 'log', message: expect.stringMatching(/^logged /), fields: expect.anything() });
  });
});

// By the ladder alone its stop would take some seventeen seconds.
test('[cli.run] a plugin that neither ends in time nor stops is ended by force', async () => {
  const began = Date.now();
  expect(await cliJson(...workbench, 'spin', '--timeout', '200')).toMatchObject({ status: 1, json: { error: { code: 'DEADLINE_EXCEEDED' } } });
  expect(Date.now() - began).toBeLessThan(15_000);
});

// Who the workers are, the process table says.
describe.skipIf(!existsSync('/proc/self/task'))('[cli.run] a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s stops the plugin in order and exits with %i', async (signal, status) => {
    const running = startCli(['run', 'plugins/workbench', '--call', 'hang', '--json']);
    await hasWorker(running.child.pid!);
    const workers = workersOf(running.child.pid!);
    running.child.kill(signal);
    const result = await running.ended;
    expect(result.status).toBe(status);
    expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, error: { code: 'CANCELLED' } });
    expect(workers.filter(isRunning)).toEqual([]);
  });

  test('a second one does not wait for a plugin that does not stop', async () => {
    const running = startCli(['run', 'plugins/workbench', '--call', 'spin']);
    await running.until('goes without');
    const workers = workersOf(running.child.pid!);
    const began = Date.now();
    running.child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ status: 130 });
    expect(Date.now() - began).toBeLessThan(2_900);
    expect(workers).toHaveLength(1);
    expect(workers.filter(isRunning)).toEqual([]);
  });
});

function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

async function hasWorker(pid: number): Promise<void> {
  while (workersOf(pid).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
