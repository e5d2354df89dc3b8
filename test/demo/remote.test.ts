import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate } from '../../examples/tls-transport/certificate.js';
import { createNodeHost } from '../../src/node/create-node-host.js';
import { unixTransport } from '../../transports/unix/unix-transport.js';
import { requirePythonSdk } from '../helpers/python-sdk.js';
import { runProgram } from './run-program.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remote-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const python = requirePythonSdk('websocket');

/** Starts the host of the example, and with what it prints the worker, as docs/transports.md and the README say. */
async function run(
  plugin: string,
  address: string,
  worker: readonly string[],
): Promise<{ readonly host: string; readonly statuses: readonly unknown[] }> {
  const tls = address.startsWith('wss:') ? writeCertificate() : undefined;
  const tokenFile = join(folder, 'token');
  const host = spawn(
    process.execPath,
    ['examples/remote/host.mjs', `examples/remote/${plugin}`, address, tokenFile, ...(tls === undefined ? [] : [tls.certificate, tls.key])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const hostEnd = once(host, 'exit');
  const lines: string[] = [];
  let workerEnd: Promise<unknown[]> | undefined;
  for await (const line of createInterface({ input: host.stdout })) {
    lines.push(line);
    if (!line.startsWith('SYNAPSE_WORKER_CHANNEL=')) continue;
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    const variables = Object.fromEntries(line.split(' ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
    const trust = tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: tls.certificate, SSL_CERT_FILE: tls.certificate };
    const [program = '', ...args] = worker;
    workerEnd = once(spawn(program, args, { stdio: 'inherit', env: { PATH: process.env.PATH, ...variables, ...trust } }), 'exit');
  }
  const [[hostStatus], workerStatus] = await Promise.all([hostEnd, workerEnd]);
  return { host: lines.at(-1) ?? '', statuses: [hostStatus, workerStatus?.[0]] };
}

function writeCertificate(): { readonly certificate: string; readonly key: string } {
  const { cert, key } = makeCertificate();
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.certificate, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}

describe('[dialin.readme] a remote worker of the README', { timeout: 60_000 }, () => {
  test.each(['unix:', 'wss://127.0.0.1:0/workers'])('in TypeScript, at %s', async (address) => {
    const { host, statuses } = await run('greeter', address, [process.execPath, 'examples/remote/greeter/main.mjs']);
    expect(host).toMatch(/^Hello, Ada, from process \d+!$/);
    expect(statuses).toEqual([0, 0]);
  });

  describe.skipIf(python.missing)('in Python', () => {
    test.each(['unix:', 'wss://127.0.0.1:0/workers'])('at %s', async (address) => {
      const { host, statuses } = await run('python-greeter', address, [python.interpreter, 'examples/remote/python-greeter/main.py']);
      expect(host).toMatch(/^Hello, Ada, from process \d+!$/);
      expect(statuses).toEqual([0, 0]);
    });
  });
});

test('[dialin.readme] the controller of docs/transports.md lists and calls the plugin of its token', { timeout: 60_000 }, async () => {
  const host = createNodeHost({});
  onTestFinished(() => host.stop({ graceMs: 0 }));
  const plugin = await host.install('examples/remote/greeter', { trust: 'community' });
  const { address } = await host.listen(unixTransport(), 'unix:');
  const files = { worker: join(folder, 'worker-token'), controller: join(folder, 'controller-token') };
  writeFileSync(files.worker, host.issueToken({ plugin: plugin.id }).token, { mode: 0o600 });
  writeFileSync(files.controller, host.issueToken({ role: 'controller', plugins: [plugin.id] }).token, { mode: 0o600 });
  const env = { PATH: process.env.PATH, SYNAPSE_WORKER_CHANNEL: address, SYNAPSE_WORKER_TOKEN_FILE: files.worker };
  const worker = spawn(process.execPath, ['examples/remote/greeter/main.mjs'], { stdio: 'inherit', env });
  const workerEnd = once(worker, 'exit');
  await plugin.start();
  const { code, stdout, stderr } = await runProgram(['examples/remote/controller.mjs', address, files.controller]);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^remote-greeter active\nHello, Grace, from process \d+!\n$/);
  expect(code).toBe(0);
  await host.stop();
  expect(await workerEnd).toEqual([0, null]);
});
