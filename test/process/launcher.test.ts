import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { processLauncher } from '../../src/node/process-launcher.js';
import { readProcess } from '../../src/node/process-table.js';
import { requireTool } from '../helpers/require-tool.js';
import { defaultLauncher, leaveNothingBehind, programs, request, run } from './launch-fixture.js';

const failure = (code: string, text: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(text) });

describe.skipIf(requireTool('python3').missing)('process launcher', () => {
  leaveNothingBehind();

  describe('the channel', () => {
    it.each(['echo-channel.py', 'echo-channel.mjs'])('carries bytes to and from %s on descriptor 3', async (entry) => {
      const program = await run(entry);
      const bytes = Buffer.alloc(300_000, 'channel');
      program.worker.connection.send([bytes.subarray(0, 10), bytes.subarray(10)]);
      await program.until(() => program.received().length === bytes.length);
      expect(program.received().equals(bytes)).toBe(true);
      program.worker.connection.close();
      expect(await program.worker.exited).toEqual({ exitCode: 0, signal: null, stragglers: { killed: 0, left: 0 } });
      expect(program.ends).toEqual([expect.objectContaining({ code: 'CLOSED' })]);
    });

    it('delivers everything that a worker wrote before it exited', async () => {
      const program = await run('hello-and-exit.py');
      expect(await program.worker.exited).toMatchObject({ exitCode: 7, signal: null });
      expect(program.received().length).toBe(100_000);
      expect(program.ends).toEqual([expect.objectContaining({ code: 'PEER_CLOSED' })]);
    });

    it('keeps what a worker wrote and its end for a connection that is started after the exit', async () => {
      const worker = await defaultLauncher().launch(request('hello-and-exit.py'));
      const received: Uint8Array[] = [];
      const closed = new Promise<string>((resolve) => {
        const start = () =>
          worker.connection.start({ onData: (chunk) => received.push(chunk), onWritable() {}, onClose: ({ code }) => resolve(code) });
        setTimeout(start, 100);
      });
      await worker.exited;
      expect(await closed).toBe('PEER_CLOSED');
      expect(Buffer.concat(received).length).toBe(100_000);
    });

    it('tells that a worker closed its channel, while the process goes on', async () => {
      const program = await run('close-channel.py');
      await program.until(() => program.ends.length > 0);
      expect(program.ends[0]!.code).toBe('PEER_CLOSED');
      let gone = false;
      void program.worker.exited.then(() => (gone = true));
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(gone).toBe(false);
    });

    it('[session.send-never-throws] survives sending to a worker that was killed', async () => {
      const program = await run('wait-for-ever.py');
      await program.until(() => program.received().length > 0);
      program.worker.kill();
      while (program.ends.length === 0) {
        program.worker.connection.send([Buffer.alloc(10_000)]);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(['PEER_CLOSED', 'CONNECTION_LOST']).toContain(program.ends[0]!.code);
    });
  });

  describe('the end of a worker', () => {
    it('reports the exit code and drains the output', async () => {
      const program = await run('exit-with.py', { args: ['42'] });
      expect(await program.worker.exited).toMatchObject({ exitCode: 42, signal: null });
      expect(program.lines).toContainEqual({ source: 'stdout', text: 'to stdout', truncated: false });
      expect(program.lines).toContainEqual({ source: 'stderr', text: 'to stderr', truncated: false });
    });

    it('terminates with SIGTERM', async () => {
      const program = await run('wait-for-ever.py');
      await program.until(() => program.received().length > 0);
      program.worker.terminate();
      expect(await program.worker.exited).toMatchObject({ exitCode: null, signal: 'SIGTERM' });
    });

    it('kills what ignores SIGTERM', async () => {
      const program = await run('ignore-sigterm.py');
      await program.until(() => program.received().length > 0);
      let gone = false;
      void program.worker.exited.then(() => (gone = true));
      program.worker.terminate();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(gone).toBe(false);
      program.worker.kill();
      expect(await program.worker.exited).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    });

    it('[launch.never-a-stranger] signals nobody once the process has been reaped', async () => {
      const program = await run('exit-with.py', { args: ['0'] });
      await program.worker.exited;
      const kill = process.kill;
      const signalled: unknown[] = [];
      process.kill = ((...args: unknown[]) => signalled.push(args)) as never;
      try {
        program.worker.terminate();
        program.worker.kill();
      } finally {
        process.kill = kill;
      }
      expect(signalled).toEqual([]);
    });

    it('[launch.process-group] kills the children with it', async () => {
      const program = await run('leave-children.py', { args: ['group', 'stay'] });
      await program.until(() => program.received().includes('\n'));
      program.worker.kill();
      expect(await program.worker.exited).toMatchObject({ signal: 'SIGKILL', stragglers: { left: 0 } });
      expect([undefined, 'Z', 'X']).toContain(readProcess(Number(program.received().toString()))?.state);
    });

    describe.skipIf(!existsSync('/proc/self/environ'))('with processes left behind', () => {
      it.each(['group', 'daemon', 'program'])('[launch.process-group] sweeps a %s that holds all descriptors open', async (kind) => {
        const program = await run('leave-children.py', { args: [kind] });
        await program.until(() => program.received().includes('\n'));
        const pid = Number(program.received().toString());
        const before = performance.now();
        const exit = await program.worker.exited;
        expect(exit).toEqual({ exitCode: 0, signal: null, stragglers: { killed: 1, left: 0 } });
        expect(performance.now() - before).toBeLessThan(2_000);
        expect([undefined, 'Z', 'X']).toContain(readProcess(pid)?.state);
        await program.until(() => program.ends.length === 1);
      });

      it('lets other workers live, also those of the same plugin', async () => {
        const bystander = await run('wait-for-ever.py');
        await bystander.until(() => bystander.received().length > 0);
        const program = await run('leave-children.py', { args: ['daemon'] });
        expect(await program.worker.exited).toMatchObject({ stragglers: { killed: 1 } });
        expect(process.kill(bystander.worker.pid, 0)).toBe(true);
      });
    });
  });

  describe('what a worker is given', () => {
    async function surroundings(changes: Parameters<typeof run>[1] = {}, options?: Parameters<typeof run>[2]) {
      const program = await run('report-surroundings.py', changes, options);
      await program.worker.exited;
      return { program, ...JSON.parse(program.received().toString()) };
    }

    afterEach(() => {
      delete process.env.CANARY_SECRET;
      delete process.env.PASSED_ON;
    });

    it('[launch.env-allow-list] is an environment made from an allow-list, without any secret of the host', async () => {
      process.env.CANARY_SECRET = 'tweet';
      process.env.PASSED_ON = 'yes';
      const { environment, program } = await surroundings({ env: { MODEL: 'small' } }, { passEnv: ['PASSED_ON'] });
      expect(JSON.stringify(environment)).not.toContain('tweet');
      const allowed = ['PATH', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'HOME', 'TMPDIR', 'MODEL', 'PASSED_ON'];
      expect(Object.keys(environment).filter((name) => !/^(PYTHON|SYNAPSE_WORKER_)/.test(name) && !allowed.includes(name))).toEqual([]);
      expect(environment).toMatchObject({
        MODEL: 'small',
        PASSED_ON: 'yes',
        SYNAPSE_WORKER_CHANNEL: 'fd:3',
        SYNAPSE_WORKER_PLUGIN_ID: 'fixture',
        SYNAPSE_WORKER_PLUGIN_VERSION: '1.2.3',
        SYNAPSE_WORKER_ID: program.request.workerId,
      });
      expect(environment.PATH).not.toBe(process.env.PATH);
    });

    it('is a folder of its own for HOME and TMPDIR, removed after the exit', async () => {
      const { environment, home } = await surroundings();
      expect(environment.HOME).toBe(environment.TMPDIR);
      expect(home).toBe(0o700);
      expect(existsSync(environment.HOME)).toBe(false);
    });

    it("is the plugin's folder, a process group and session of its own, and an empty standard input", async () => {
      const { cwd, pid, group, session, stdinIsEmpty, program } = await surroundings();
      expect(`${cwd}/`).toBe(programs);
      expect([group, session]).toEqual([pid, pid]);
      expect(program.worker.pid).toBe(pid);
      expect(stdinIsEmpty).toBe(true);
    });

    it('[launch.exact-descriptors] is no descriptor of the host but 0 to 3', async () => {
      const { descriptors } = await surroundings();
      const given = Object.entries(descriptors as Record<string, string>).filter(
        ([name, target]) => Number(name) > 3 && target !== '/dev/null' && !/^\/proc\/\d+\/fd$/.test(target),
      );
      expect(given).toEqual([]);
    });

    it.each(['LD_PRELOAD', 'NODE_OPTIONS', 'PYTHONPATH', 'pythonstartup', 'BASH_ENV', 'SYNAPSE_WORKER_CHANNEL', 'SYNAPSE_WORKER_ID'])(
      'is never %s from the manifest',
      async (name) => {
        await expect(defaultLauncher().launch(request('exit-with.py', { env: { [name]: 'x' } }))).rejects.toEqual(
          failure('INVALID_ARGUMENT', new RegExp(name)),
        );
      },
    );
  });

  describe('what a worker prints', () => {
    it('[launch.prints-become-logs] [launch.long-lines-cut] arrives as lines, whole, cut and escaped', async () => {
      const program = await run('print-awkwardly.py');
      await program.worker.exited;
      expect(program.lines.map(({ text, truncated }) => (truncated ? `${text.length} of ${text[0]}` : text))).toEqual([
        'half a line',
        'grüße',
        '\\x1b[31mred\\x1b[0m �',
        '8192 of y',
        'after',
        'no end',
      ]);
    });

    it('slows a flood down at its source', async () => {
      const program = await run('flood-stderr.py', {}, { maxOutputBytesPerSecond: 65_536 });
      await program.until(() => program.lines.length > 0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const counts = program.received();
      const written = Number(counts.readBigUInt64BE(counts.length - (counts.length % 8) - 8));
      // One second's allowance at once, what 0.3 s add, and what fits into the pipe and one read.
      expect(written).toBeLessThan(65_536 * 2 + 65_536 * 4);
      expect(program.lines.length * 80).toBeLessThanOrEqual(written);
      program.worker.kill();
      await program.worker.exited;
    });

    it('is read to its end after the exit, however slow it was read before', async () => {
      const program = await run('print-awkwardly.py', {}, { maxOutputBytesPerSecond: 500 });
      await program.worker.exited;
      expect(program.lines.slice(-2).map(({ text }) => text)).toEqual(['after', 'no end']);
    });

    it('cannot hurt the host through a log that throws', async () => {
      const program = await run('exit-with.py', {
        args: ['0'],
        onOutput() {
          throw new Error('the log is full');
        },
      });
      expect(await program.worker.exited).toMatchObject({ exitCode: 0 });
    });
  });

  describe('a start that cannot succeed', () => {
    let folder = '';
    afterEach(() => {
      if (folder !== '') rmSync(folder, { recursive: true, force: true });
      folder = '';
    });

    const launch = (entry: string, changes: Parameters<typeof request>[1] = {}, options?: Parameters<typeof processLauncher>[0]) =>
      (options === undefined ? defaultLauncher() : processLauncher(options)).launch(request(entry, changes));

    it.each([
      ['an entry that is missing', () => launch('missing.py'), /missing\.py does not exist/],
      ['an entry outside of the folder', () => launch('../../helpers/require-tool.ts'), /not a file within/],
      ['the folder itself as entry', () => launch('.', { type: 'python' }), /not a file within/],
      ['an entry that is not executable', () => launch('not-executable', { type: 'executable' }), /chmod \+x/],
      ['a folder that is missing', () => launch('exit-with.py', { directory: join(programs, 'nowhere') }), /does not exist/],
      ['a plugin without a folder', () => launch('exit-with.py', { directory: undefined }), /no folder/],
      ['an interpreter that is missing', () => launch('exit-with.py', {}, { interpreters: { python: 'python-of-nowhere' } }), /interpreters\.python/],
      ['a runtime type that is no process', () => launch('exit-with.py', { type: 'external' }), /external/],
      ['an argument that no system takes', () => launch('exit-with.py', { args: ['a\0b'] }), /could not be started/],
    ])('rejects for %s', async (_, start, text) => {
      await expect(start()).rejects.toEqual(failure('START_FAILED', text));
    });

    it('rejects for a file that the system cannot execute, and names its error', async () => {
      folder = mkdtempSync(join(tmpdir(), 'synapse-test-'));
      writeFileSync(join(folder, 'broken'), '#!/nowhere/interpreter\n', { mode: 0o755 });
      const start = launch('broken', { type: 'executable', directory: folder });
      await expect(start).rejects.toMatchObject({ code: 'START_FAILED', details: { systemCode: 'ENOENT' } });
    });

    it('rejects for an entry that a symlink takes out of the folder', async () => {
      folder = mkdtempSync(join(tmpdir(), 'synapse-test-'));
      symlinkSync(join(programs, 'exit-with.py'), join(folder, 'main.py'));
      await expect(launch('main.py', { directory: folder })).rejects.toEqual(failure('START_FAILED', /not a file within/));
    });

    it('[launch.transactional-start] rejects when it was given up before or meanwhile, and leaves no process', async () => {
      const abort = new AbortController();
      const starting = launch('wait-for-ever.py', { signal: abort.signal });
      abort.abort();
      await expect(starting).rejects.toMatchObject({ code: 'CANCELLED' });
      await expect(launch('wait-for-ever.py', { signal: abort.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
    });

    it('refuses options that make no sense', () => {
      expect(() => processLauncher({ maxLineBytes: 0 })).toThrow(failure('INVALID_ARGUMENT', /maxLineBytes/));
      expect(() => processLauncher({ passEnv: ['SYNAPSE_WORKER_CHANNEL'] })).toThrow(failure('INVALID_ARGUMENT', /passEnv/));
    });
  });

  describe('the program that runs an entry', () => {
    it('is an executable entry itself', async () => {
      const program = await run('say-hello.sh', { type: 'executable' });
      expect(await program.worker.exited).toMatchObject({ exitCode: 0 });
      expect(program.received().toString()).toBe('from a program of its own\n');
    });

    it("is the host's own Node for nodejs, and named in the description without the arguments", async () => {
      const program = await run('echo-channel.mjs', { args: ['--key', 'secret'] });
      expect(program.worker.description).toBe(`${process.execPath} ${programs}echo-channel.mjs (and 2 arguments)`);
    });

    it("is the Python of the plugin's own virtual environment before any other", async () => {
      const folder = mkdtempSync(join(tmpdir(), 'synapse-test-'));
      const other = await run('exit-with.py', { args: ['0'] });
      const own = join(folder, '.venv/bin/python');
      mkdirSync(join(folder, '.venv/bin'), { recursive: true });
      symlinkSync(other.worker.description.split(' ')[0]!, own);
      writeFileSync(join(folder, 'main.py'), 'import sys; print(sys.executable)');
      const program = await run('main.py', { directory: folder });
      await program.worker.exited;
      rmSync(folder, { recursive: true });
      expect(program.worker.description).toBe(`${own} ${join(folder, 'main.py')}`);
      expect(program.lines).toEqual([{ source: 'stdout', text: own, truncated: false }]);
    });
  });
});
