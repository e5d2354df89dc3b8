import { expect, test } from 'vitest';
import { createHost } from '../../src/host/create-host.js';
import type { HostOptions, InstallOptions } from '../../src/host/host-options.js';
import { createSimulatedPlatform } from '../../src/testing/simulated-platform.js';

const { platform } = { platform: createSimulatedPlatform() };

test.each([
  [{ polcy: {} }, 'Did you mean "policy"?'],
  [{ timings: { heartbeat: 5 } }, 'Did you mean "heartbeatMs"?'],
  [{ limits: { maxConcurency: 5 } }, 'Did you mean "maxConcurrency"?'],
])('a misspelt option of the host is refused: %j', (options, repair) => {
  expect(() => createHost({ platform, ...options } as HostOptions)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(repair) }),
  );
});

test('so is one of install, and the name of a notification that there is not', async () => {
  const host = createHost({ platform });
  await expect(host.install({ manifest: '' }, { confg: {} } as InstallOptions)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('"config"'),
  });
  expect(() => host.on('plugin.stat' as 'plugin.state', () => {})).toThrow(
    expect.objectContaining({ message: expect.stringContaining('"plugin.state"') }),
  );
  await expect(host.install(undefined as unknown as string)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await host.stop();
});
