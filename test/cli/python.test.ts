import { beforeAll, describe, expect, test, vi } from 'vitest';
import { preparePythonPlugin } from '../../examples/demo/python.js';
import { cli, cliJson } from './run-cli.js';

vi.setConfig({ testTimeout: 60_000 });

const text = 'The host starts the worker. The worker answers the host. Bread is baked in the morning. The host stops the worker.';
const request = JSON.stringify({ model: 'extractive', messages: [{ role: 'user', content: text }] });

describe('[cli.run] a plugin in Python', () => {
  let folder: string | undefined;
  let problem = '';
  // The first time, this makes the virtual environment of the example.
  beforeAll(() => {
    const prepared = preparePythonPlugin();
    if ('directory' in prepared) folder = prepared.directory;
    else problem = prepared.problem;
    if (folder === undefined && process.env.CI) throw new Error(`Under CI the Python plugin must run: ${problem}`);
  }, 240_000);

  test('is validated, planned, run and denied like any other', async (context) => {
    if (folder === undefined) return context.skip(`Python is not available here: ${problem}`);
    expect(await cli('validate', folder)).toMatchObject({ status: 0, stdout: 'summarizer 1.0.0 is valid.\n' });
    expect(await cliJson('run', folder, '--call', 'model.complete', '--params', request)).toMatchObject({
      status: 1,
      json: { error: { code: 'APPROVAL_REQUIRED', details: { grants: ['storage.write:keys=statistics/*'] } } },
    });
    const { status, json, stderr } = await cliJson(
      'run',
      folder,
      '--call',
      'model.stream',
      '--params',
      request,
      '--grant',
      'storage.write:keys=statistics/*',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(json).toMatchObject({
      ok: true,
      result: { finishReason: 'stop' },
      denials: [{ capability: 'events.publish', scope: { topics: ['analytics.documents'] } }],
    });
    const { items, logs } = json as { items: readonly string[]; logs: readonly { message: string }[] };
    expect(items.join('')).toContain('The host');
    expect(logs.map(({ message }) => message)).toContain('publishing the document was denied');
  });
});
