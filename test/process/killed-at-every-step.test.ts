import { describe, expect, test } from 'vitest';
import { isWorkerRuntimeError } from '../../src/errors/worker-runtime-error.js';
import type { Launcher } from '../../src/interfaces/launcher.js';
import { processLauncher } from '../../src/node/process-launcher.js';
import { isRunning, plugins, startHost, until } from './host-support.js';

/** Launches real processes and kills the first one when the given number of pieces has passed in the given direction. */
function killingLauncher(direction: 'sent' | 'received', count: number): { launcher: Launcher; pids: number[] } {
  const real = processLauncher();
  const pids: number[] = [];
  let left = count;
  const pass = (pid: number | undefined): void => {
    left -= 1;
    if (left === 0 && pid !== undefined && pid === pids[0]) process.kill(pid, 'SIGKILL');
  };
  const launcher: Launcher = {
    ...real,
    async launch(request) {
      const launched = await real.launch(request);
      if (launched.pid !== undefined) pids.push(launched.pid);
      const { connection } = launched;
      return {
        ...launched,
        terminate: () => launched.terminate(),
        kill: () => launched.kill(),
        connection: {
          maxFrameBytes: connection.maxFrameBytes,
          peer: connection.peer,
          close: (options) => connection.close(options),
          send(chunks) {
            const taken = connection.send(chunks);
            if (direction === 'sent') pass(launched.pid);
            return taken;
          },
          start: (handlers) =>
            connection.start({
              ...handlers,
              onData(chunk) {
                handlers.onData(chunk);
                if (direction === 'received') pass(launched.pid);
              },
            }),
        },
      };
    },
  };
  return { launcher, pids };
}

const steps = (['sent', 'received'] as const).flatMap((direction) => Array.from({ length: 6 }, (_, index) => [direction, index + 1] as const));

describe('a worker that is killed after a piece was', () => {
  test.each(steps)(
    '[session.may-have-run] %s, number %i: every outcome is typed, nothing is left, and the next worker works',
    async (direction, count) => {
      const { launcher, pids } = killingLauncher(direction, count);
      const { host } = startHost({ launcher, timings: { graceMs: 1_000, exitTimeoutMs: 500, killTimeoutMs: 500 } });
      const plugin = await host.install(`${plugins}misbehaving`);
      const outcomes: unknown[] = [];
      const note = (promise: Promise<unknown>): Promise<void> =>
        promise.then(
          (value) => void outcomes.push(value),
          (error) => void outcomes.push(error),
        );

      await note(plugin.start());
      await note(plugin.call('echo', 'hello'));
      await note(plugin.call('writes', { key: 'a/1' }));
      const stream = await Promise.resolve()
        .then(() => plugin.stream('counts', { to: 3 }))
        .catch((error: unknown) => void outcomes.push(error));
      if (stream !== undefined) {
        await note(
          (async () => {
            for await (const item of stream) outcomes.push(item);
          })(),
        );
        await note(stream.result);
      }
      await note(plugin.stop());

      for (const outcome of outcomes) {
        if (!(outcome instanceof Error)) continue;
        expect(isWorkerRuntimeError(outcome), String(outcome)).toBe(true);
        expect(outcome).toMatchObject({ code: expect.stringMatching(/^(START_FAILED|WORKER_LOST|WORKER_UNAVAILABLE)$/) });
        if (isWorkerRuntimeError(outcome, 'WORKER_LOST')) expect(outcome.reason).toMatchObject({ signal: 'SIGKILL' });
      }
      await until(() => pids.every((pid) => !isRunning(pid)));
      expect(plugin.state).toBe('idle');
      await plugin.start();
      expect(await plugin.call('echo', 'again')).toBe('again');
    },
  );
});
