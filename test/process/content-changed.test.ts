import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { plugins, startHost } from './host-support.js';

test('what has changed since it was installed is not started, until it is installed again', async () => {
  // Beside the original, so that the copy finds the package.
  const folder = mkdtempSync(join(plugins, 'changing-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(`${plugins}misbehaving`, folder, { recursive: true });
  const { host } = startHost();
  const plugin = await host.install(folder);
  await plugin.start();
  await plugin.stop();
  writeFileSync(join(folder, 'extra.mjs'), 'process.exit(0);');
  await expect(plugin.start()).rejects.toMatchObject({ code: 'START_FAILED', retryable: false, reason: { code: 'CONTENT_CHANGED' } });
  expect(plugin.state).toBe('quarantined');
  await host.install(folder);
  await plugin.start();
  expect(await plugin.call('echo', 1)).toBe(1);
});
