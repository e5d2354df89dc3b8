import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { programs } from './launch-fixture.js';

function start(env: Record<string, string>): { child: ChildProcess; output: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, ['--import', 'tsx', join(programs, 'worker-channel.ts')], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, TSX_DISABLE_CACHE: '1', ...env },
  });
  const output = { stdout: '', stderr: '' };
  for (const source of ['stdout', 'stderr'] as const) child[source]!.setEncoding('utf8').on('data', (text: string) => (output[source] += text));
  return { child, output };
}

const identity = { SYNAPSE_WORKER_PLUGIN_ID: 'summarizer', SYNAPSE_WORKER_PLUGIN_VERSION: '1.2.3', SYNAPSE_WORKER_ID: 'w1' };

it('[launch.prints-become-logs] takes descriptor 3, moves stdout aside, removes its variables but the marker, and ends with the channel', async () => {
  const { child, output } = start({ SYNAPSE_WORKER_CHANNEL: 'fd:3', ...identity });
  const channel = child.stdio[3] as net.Socket;
  channel.write('ping');
  expect(String(await once(channel, 'data'))).toBe('ping');
  channel.end();
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(output.stdout).toBe('');
  const [report, reason] = output.stderr.trim().split('\n');
  expect(JSON.parse(report!)).toEqual({ plugin: { id: 'summarizer', version: '1.2.3' }, left: ['SYNAPSE_WORKER_ID'], childHasChannel: false });
  expect(reason).toBe('PEER_CLOSED');
});

it('dials a Unix socket and reads its token from a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'synapse-test-'));
  writeFileSync(join(folder, 'token'), 'a-token\n', { mode: 0o600 });
  const server = net.createServer().listen(join(folder, 's'));
  const { child, output } = start({ SYNAPSE_WORKER_CHANNEL: `unix:${join(folder, 's')}`, SYNAPSE_WORKER_TOKEN_FILE: join(folder, 'token') });
  const [channel] = (await once(server, 'connection')) as [net.Socket];
  channel.write('ping');
  expect(String(await once(channel, 'data'))).toBe('ping');
  channel.end();
  await once(child, 'close');
  server.close();
  await rm(folder, { recursive: true });
  expect(JSON.parse(output.stderr.split('\n')[0]!)).toMatchObject({ token: 'a-token', left: [] });
});

it('says what it is when nobody launched it', async () => {
  const { child, output } = start({});
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(output.stderr).toMatch(/plugin worker-channel.*worker of a Synapse host[\s\S]*synapse-worker run/);
});

it.each([
  ['stdio', /Descriptor 0 is no pipe or socket/],
  ['fd:77', /Descriptor 77.* is not an open socket/],
  ['unix:relative/path', /cannot take the channel/],
])('refuses the channel %s with a sentence', async (channel, text) => {
  const { child, output } = start({ SYNAPSE_WORKER_CHANNEL: channel });
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(output.stderr).toMatch(text);
});
