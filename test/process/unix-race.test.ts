import { fork } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unixTransport } from '../../transports/unix/index.js';
import { programs } from './launch-fixture.js';

interface Answer {
  readonly won: boolean;
  readonly pid?: number;
  readonly code?: string;
}

test('[unix.private] of several processes that replace the same stale socket at once, one gets it and keeps it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'u-'));
  const racers = Array.from({ length: 4 }, () =>
    fork(join(programs, 'unix-racer.ts'), { execArgv: ['--import', 'tsx'], env: { ...process.env, TSX_DISABLE_CACHE: '1' } }),
  );
  try {
    for (let round = 0; round < 8; round += 1) {
      const path = join(folder, `s${round}`);
      const server = net.createServer().listen(path);
      await once(server, 'listening');
      linkSync(path, `${path}.kept`);
      await new Promise((resolve) => server.close(resolve));
      renameSync(`${path}.kept`, path);

      const answers = await Promise.all(
        racers.map(async (racer) => {
          const answer = once(racer, 'message') as Promise<[Answer]>;
          racer.send(path);
          return (await answer)[0];
        }),
      );
      const winners = answers.filter(({ won }) => won);
      expect(winners).toHaveLength(1);
      for (const { won, code } of answers) if (!won) expect(code).toBe('INVALID_STATE');
      const connection = await unixTransport().dial(`unix:${path}`);
      const greeting = await new Promise((resolve) =>
        connection.start({ onData: (chunk) => resolve(Number(Buffer.from(chunk).toString())), onWritable() {}, onClose() {} }),
      );
      connection.close({ abort: true });
      expect(greeting).toBe(winners[0]?.pid);
    }
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  } finally {
    await Promise.all(
      racers.map((racer) => {
        const exit = once(racer, 'exit');
        racer.disconnect();
        return exit;
      }),
    );
  }
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
