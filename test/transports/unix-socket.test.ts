import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection, TransportListener } from '../../src/interfaces/transport.js';
import { unixTransport } from '../../transports/unix/index.js';

/** A loaded machine needs its time. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 4_000 });

const transport = unixTransport({ closeTimeoutMs: 200 });
const pathOf = ({ address }: TransportListener): string => address.slice('unix:'.length);
const mode = (path: string): number => lstatSync(path).mode & 0o777;

let folder: string;
let listeners: TransportListener[] = [];
let connections: Connection[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'u-'));
});

afterEach(async () => {
  await Promise.all(connections.map((connection) => new Promise<void>((resolve) => end(connection, resolve))));
  for (const listener of listeners) await listener.close();
  listeners = [];
  connections = [];
  rmSync(folder, { recursive: true });
});

function end(connection: Connection, resolve: () => void): void {
  connection.start({ onData() {}, onWritable() {}, onClose: () => resolve() });
  connection.close({ abort: true });
}

async function listen(address: string, from = transport): Promise<TransportListener> {
  const listener = await from.listen(address, (connection) => connections.push(connection));
  listeners.push(listener);
  return listener;
}

async function dial(address: string, from = transport): Promise<Connection> {
  const connection = await from.dial(address);
  connections.push(connection);
  return connection;
}

/** A socket file whose owner has died: its name is kept where the closing server does not find it. */
async function leaveStale(path: string): Promise<void> {
  const server = net.createServer().listen(path);
  await once(server, 'listening');
  linkSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
}

describe('[unix.private] a Unix socket', () => {
  it('is made in a private folder of an unpredictable name, which goes with it', async () => {
    const [one, other] = [await listen('unix:'), await listen('unix:')];
    expect(dirname(pathOf(one))).not.toBe(dirname(pathOf(other)));
    for (const listener of [one, other]) {
      expect(dirname(pathOf(listener))).toMatch(/synapse-[\w-]{22}$/);
      expect(mode(dirname(pathOf(listener)))).toBe(0o700);
      expect(mode(pathOf(listener))).toBe(0o600);
      expect(readdirSync(dirname(pathOf(listener)))).toEqual(['s']);
      await listener.close();
      expect(existsSync(dirname(pathOf(listener)))).toBe(false);
    }
  });

  it('has mode 0600 whatever the umask is, and leaves nothing beside it', async () => {
    const before = process.umask(0);
    try {
      const listener = await listen(`unix:${folder}/s`);
      expect(mode(pathOf(listener))).toBe(0o600);
      expect(readdirSync(folder)).toEqual(['s']);
      const inNew = await listen(`unix:${folder}/new/s`);
      expect(mode(dirname(pathOf(inNew)))).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  it.each([
    ['others may write to', 0o777],
    ['its group may write to', 0o770],
    ['everybody may write to, as /tmp', 0o1777],
  ])('is refused in a folder that %s', async (_, bits) => {
    const shared = join(folder, 'shared');
    mkdirSync(shared);
    chmodSync(shared, bits);
    await expect(listen(`unix:${shared}/s`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('chmod go-w') });
    expect(readdirSync(shared)).toEqual([]);
    // A private folder within a sticky one is safe, within another shared one it can be moved away.
    const below = listen(`unix:${shared}/own/s`);
    if (bits === 0o1777) expect(mode(dirname(pathOf(await below)))).toBe(0o700);
    else await expect(below).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    ['a symlink to a socket', (path: string, aim: string) => symlinkSync(aim, path), 'a symlink'],
    ['a symlink to nothing', (path: string) => symlinkSync(join(folder, 'nothing'), path), 'a symlink'],
    ['a file', (path: string) => writeFileSync(path, 'precious'), 'a file'],
    ['a folder', (path: string) => mkdirSync(path), 'a folder'],
  ])('is not made where %s was planted, and the plant is not touched', async (_, plant, name) => {
    const other = await listen(`unix:${folder}/other`);
    const path = join(folder, 's');
    plant(path, pathOf(other));
    const before = lstatSync(path);
    await expect(listen(`unix:${path}`)).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringMatching(new RegExp(`it is ${name}.*choose another path`)),
    });
    expect(lstatSync(path)).toMatchObject({ ino: before.ino, mode: before.mode });
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['other', 's']);
    await dial(other.address);
  });

  it('replaces a stale socket of this user', async () => {
    const path = join(folder, 's');
    await leaveStale(path);
    const stale = lstatSync(path).ino;
    await expect(dial(`unix:${path}`)).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    const listener = await listen(`unix:${path}`);
    expect(lstatSync(path).ino).not.toBe(stale);
    expect(readdirSync(folder)).toEqual(['s']);
    await dial(listener.address);
  });

  it('does not replace a live one, with a sentence', async () => {
    const first = await listen(`unix:${folder}/s`);
    await expect(listen(first.address)).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('a process listens there; stop it, or choose another path'),
    });
    await dial(first.address);
  });

  it.skipIf(process.getuid?.() !== 0)('does not replace, nor dial, one of another user', async () => {
    const path = join(folder, 's');
    await leaveStale(path);
    const { chownSync } = await import('node:fs');
    chownSync(path, 12_345, 12_345);
    await expect(listen(`unix:${path}`)).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: expect.stringContaining('belongs to the user 12345'),
    });
    await expect(dial(`unix:${path}`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('trustedOwners') });
    await expect(dial(`unix:${path}`, unixTransport({ trustedOwners: [12_345] }))).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    chownSync(folder, 12_345, 12_345);
    await expect(listen(`unix:${folder}/t`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    chownSync(folder, 0, 0);
  });

  it('is had by one of many that replace the same stale one at once', async () => {
    const path = join(folder, 's');
    await leaveStale(path);
    const attempts = await Promise.allSettled(Array.from({ length: 12 }, () => listen(`unix:${path}`)));
    const won = attempts.filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
    for (const attempt of attempts) if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'INVALID_STATE' });
    expect(readdirSync(folder)).toEqual(['s']);
    await dial(`unix:${path}`);
  });

  it('is replaced although a process died while it did so, and not while one does', async () => {
    const path = join(folder, 's');
    const lock = join(folder, '.s.lock');
    await leaveStale(path);
    mkdirSync(lock);
    const waiting = listen(`unix:${path}`);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(readdirSync(folder)).toContain('.s.lock');
    const longAgo = Date.now() / 1_000 - 60;
    utimesSync(lock, longAgo, longAgo);
    await waiting;
    expect(readdirSync(folder)).toEqual(['s']);
    await dial(`unix:${path}`);
  });

  it('is removed on close only if it is still the one that was made', async () => {
    const first = await listen(`unix:${folder}/s`);
    renameSync(pathOf(first), join(folder, 'moved'));
    const second = await listen(first.address);
    await first.close();
    expect(existsSync(pathOf(second))).toBe(true);
    await dial(second.address);
    await second.close();
    expect(existsSync(pathOf(second))).toBe(false);
  });
});

describe('[unix.dial] dialling a Unix socket', () => {
  it('follows no symlink', async () => {
    const listener = await listen(`unix:${folder}/s`);
    symlinkSync(pathOf(listener), join(folder, 'link'));
    await expect(dial(`unix:${folder}/link`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('is a symlink') });
  });

  it.each([
    ['tcp:127.0.0.1', /write unix:\/absolute\/path/],
    ['unix:relative/path', /absolute path/],
    ['unix:/a/../b', /absolute path/],
    ['unix:/a//b', /absolute path/],
    ['unix:/a/b/', /absolute path/],
    ['unix:/a\0b', /absolute path/],
    ['unix:\0abstract', /absolute path/],
    [`unix:/${'a'.repeat(107)}`, /has 108 bytes.*choose a shorter folder/],
    [`unix:/${'ü'.repeat(60)}`, /has 121 bytes/],
  ])('and listening refuse the address %j', async (address, text) => {
    for (const attempt of [() => dial(address), () => listen(address)])
      await expect(attempt()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(text) });
  });

  it('wants an address that names a socket, and says when nobody listens', async () => {
    await expect(dial('unix:')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(dial(`unix:${folder}/none`)).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      message: `Nobody listens at unix:${folder}/none; start the host, or check the path.`,
    });
  });

  it('names both ends', async () => {
    const listener = await listen(`unix:${folder}/s`);
    const dialled = await dial(listener.address);
    await eventually(() => connections.length).toBe(2);
    expect(dialled.peer.description).toBe(listener.address);
    expect(connections.find((connection) => connection !== dialled)?.peer.description).toBe(`${listener.address}#1`);
  });

  it('is bounded in number by the listener', async () => {
    const few = unixTransport({ maxConnections: 2, closeTimeoutMs: 200 });
    const listener = await listen(`unix:${folder}/s`, few);
    const dialled: Connection[] = [];
    for (let count = 0; count < 4; count += 1) dialled.push(await dial(listener.address));
    await eventually(() => connections.length - dialled.length).toBe(2);
    const ends = await Promise.all(
      dialled.slice(2).map((connection) => new Promise((resolve) => connection.start({ onData() {}, onWritable() {}, onClose: resolve }))),
    );
    expect(ends).toEqual([expect.objectContaining({ code: 'PEER_CLOSED' }), expect.objectContaining({ code: 'PEER_CLOSED' })]);
    connections = connections.filter((connection) => !dialled.slice(2).includes(connection));
  });

  it('refuses options that make no sense', () => {
    expect(() => unixTransport({ maxConnections: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => unixTransport({ closeTimeoutMs: Number.NaN })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
