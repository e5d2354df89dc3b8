import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProblemCode, safeParseManifest } from '../../src/manifest/index.js';
import { type PluginFolderLimits, readPluginFolder } from '../../src/node/plugin-folder.js';
import { folderCodes } from './problem-cases.js';
import { catalogue, required } from './support.js';

const manifest = `${required}runtime: {type: python, entry: src/main.py}\n`;
let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'plugin-folder-'));
  folder = join(root, 'plugin');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'manifest.yml'), manifest);
  writeFileSync(join(folder, 'src/main.py'), 'print(1)\n');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const digest = async (path = folder): Promise<string> => (await readPluginFolder(path)).contentDigest;
const validate = async () => {
  const { manifest: text, manifestFileName: fileName, files } = await readPluginFolder(folder);
  return safeParseManifest({ text, fileName }, { catalogue, files });
};

describe('readPluginFolder', () => {
  it('gives the manifest, the files and a digest', async () => {
    const read = await readPluginFolder(`${folder}/`);
    expect(new TextDecoder().decode(read.manifest)).toBe(manifest);
    expect(read).toMatchObject({ manifestFileName: 'manifest.yml', contentDigest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(read.directory.endsWith('/plugin')).toBe(true);
    expect(read.files.find('src/main.py')).toEqual({ kind: 'file', executable: false });
    expect(read.files.find('src')).toMatchObject({ kind: 'folder' });
    expect(read.files.find('src/other.py')).toBeUndefined();
    expect(read.files.find('../plugin/manifest.yml')).toBeUndefined();
  });

  it('reads manifest.json where there is no manifest.yml', async () => {
    rmSync(join(folder, 'manifest.yml'));
    writeFileSync(join(folder, 'manifest.json'), '{}');
    expect(await readPluginFolder(folder)).toMatchObject({ manifestFileName: 'manifest.json' });
  });

  it('does not keep a huge manifest, but lets its size be noticed', async () => {
    writeFileSync(join(folder, 'manifest.yml'), 'x'.repeat(1_000_000));
    expect((await readPluginFolder(folder)).manifest.byteLength).toBe(65_537);
    expect((await validate()).problems).toMatchObject([{ code: 'TOO_LARGE' }]);
  });
});

describe('the content digest', () => {
  it('stays the same for the same content, wherever and whenever', async () => {
    const before = await digest();
    cpSync(folder, join(root, 'copy'), { recursive: true });
    utimesSync(join(folder, 'src/main.py'), 1, 1);
    chmodSync(join(folder, 'src/main.py'), 0o600);
    expect(await digest()).toBe(before);
    expect(await digest(join(root, 'copy'))).toBe(before);
  });

  it.each<readonly [string, () => void]>([
    ['a byte', () => writeFileSync(join(folder, 'src/main.py'), 'print(2)\n')],
    ['a name', () => writeFileSync(join(folder, 'src/new.py'), '')],
    ['an empty folder', () => mkdirSync(join(folder, 'empty'))],
    ['an executable bit', () => chmodSync(join(folder, 'src/main.py'), 0o755)],
    ['a link', () => symlinkSync('src/main.py', join(folder, 'link'))],
    ['a comment of the manifest', () => writeFileSync(join(folder, 'manifest.yml'), `${manifest}#\n`)],
  ])('changes with %s', async (_what, change) => {
    const before = await digest();
    change();
    expect(await digest()).not.toBe(before);
  });

  it('tells a link from a copy, and links by their text', async () => {
    symlinkSync('src/main.py', join(folder, 'a'));
    const relative = await digest();
    rmSync(join(folder, 'a'));
    symlinkSync('./src/main.py', join(folder, 'a'));
    const other = await digest();
    rmSync(join(folder, 'a'));
    cpSync(join(folder, 'src/main.py'), join(folder, 'a'));
    expect(new Set([relative, other, await digest()]).size).toBe(3);
  });

  it('does not confuse where one file ends and the next begins', async () => {
    writeFileSync(join(folder, 'x'), 'ab');
    writeFileSync(join(folder, 'y'), 'c');
    const before = await digest();
    writeFileSync(join(folder, 'x'), 'a');
    writeFileSync(join(folder, 'y'), 'bc');
    expect(await digest()).not.toBe(before);
  });
});

describe('the entry point of a folder', () => {
  it('[manifest.entry-stays-inside] may be a file, also through links that stay inside', async () => {
    expect((await validate()).valid).toBe(true);
    symlinkSync('src', join(folder, 'code'));
    symlinkSync('code/main.py', join(folder, 'start.py'));
    for (const entry of ['code/main.py', 'start.py']) {
      writeFileSync(join(folder, 'manifest.yml'), manifest.replace('src/main.py', entry));
      expect((await validate()).problems).toEqual([]);
    }
  });

  it('must exist, be a file, and be executable where it is run as such', async () => {
    const codesFor = async (runtime: string) => {
      writeFileSync(join(folder, 'manifest.yml'), `${required}runtime: ${runtime}\n`);
      return (await validate()).problems.map((problem) => problem.code);
    };
    expect(await codesFor('{type: python, entry: main.py}')).toEqual(['ENTRY_NOT_FOUND']);
    expect(await codesFor('{type: python, entry: src}')).toEqual(['ENTRY_NOT_FOUND']);
    expect(await codesFor('{type: executable, entry: src/main.py}')).toEqual(['ENTRY_NOT_EXECUTABLE']);
    chmodSync(join(folder, 'src/main.py'), 0o755);
    expect(await codesFor('{type: executable, entry: src/main.py}')).toEqual([]);
  });
});

describe("the plugin's own Python environment", () => {
  beforeEach(() => mkdirSync(join(folder, '.venv/bin'), { recursive: true }));

  it('may link to the interpreter that made it, and the text of that link counts', async () => {
    symlinkSync(process.execPath, join(folder, '.venv/bin/python3'));
    symlinkSync('python3', join(folder, '.venv/bin/python'));
    const before = await digest();
    rmSync(join(folder, '.venv/bin/python3'));
    symlinkSync('/bin/sh', join(folder, '.venv/bin/python3'));
    expect(await digest()).not.toBe(before);
  });

  it('gives no entry point through such a link', async () => {
    symlinkSync(process.execPath, join(folder, '.venv/bin/python3'));
    writeFileSync(join(folder, 'manifest.yml'), `${required}runtime: {type: executable, entry: .venv/bin/python3}\n`);
    expect((await validate()).problems.map((problem) => problem.code)).toEqual(['ENTRY_NOT_FOUND']);
  });

  it('counts its links among the entries', async () => {
    for (const version of ['', '3', '3.1', '3.2', '3.3']) symlinkSync(process.execPath, join(folder, `.venv/bin/python${version}`));
    await expect(readPluginFolder(folder, { maxEntries: 8 })).rejects.toMatchObject({ details: { problems: [{ code: 'FOLDER_TOO_LARGE' }] } });
  });
});

describe('a folder that is refused', () => {
  const refusals: readonly (readonly [ProblemCode, string, () => void, PluginFolderLimits?])[] = [
    ['MANIFEST_NOT_FOUND', 'has no manifest', () => rmSync(join(folder, 'manifest.yml'))],
    [
      'MANIFEST_NOT_FOUND',
      'plain file',
      () => {
        rmSync(join(folder, 'manifest.yml'));
        symlinkSync('src/main.py', join(folder, 'manifest.yml'));
      },
    ],
    ['FOLDER_UNREADABLE', 'does not exist', () => rmSync(folder, { recursive: true })],
    [
      'FOLDER_UNREADABLE',
      'is not a folder',
      () => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
    ],
    ['FOLDER_TOO_LARGE', 'more than 3 entries', () => writeFileSync(join(folder, 'x'), ''), { maxEntries: 3 }],
    ['FOLDER_TOO_LARGE', 'more than 100 bytes', () => writeFileSync(join(folder, 'x'), 'x'.repeat(101)), { maxBytes: 100 }],
    ['FOLDER_TOO_LARGE', 'more than 3 deep', () => mkdirSync(join(folder, 'a/b/c'), { recursive: true }), { maxDepth: 3 }],
    ['LINK_OUTSIDE_FOLDER', 'leads out of the folder', () => symlinkSync('/etc/passwd', join(folder, 'src/x'))],
    ['LINK_OUTSIDE_FOLDER', 'leads out of the folder', () => symlinkSync('../..', join(folder, 'src/x'))],
    [
      'LINK_OUTSIDE_FOLDER',
      'leads out of the folder',
      () => {
        mkdirSync(`${folder}-sibling`);
        symlinkSync(`${folder}-sibling`, join(folder, 'x'));
      },
    ],
    [
      'LINK_OUTSIDE_FOLDER',
      'leads out of the folder',
      () => {
        mkdirSync(join(folder, '.venv/lib'), { recursive: true });
        symlinkSync('/usr/lib', join(folder, '.venv/lib/python'));
      },
    ],
    [
      'LINK_OUTSIDE_FOLDER',
      'leads out of the folder',
      () => {
        mkdirSync(join(folder, '.venv/bin'), { recursive: true });
        symlinkSync('/usr', join(folder, '.venv/bin/python'));
      },
    ],
    ['LINK_OUTSIDE_FOLDER', 'leads out of the folder', () => symlinkSync('/usr', join(folder, '.venv'))],
    ['LINK_OUTSIDE_FOLDER', 'leads nowhere', () => symlinkSync('missing', join(folder, 'x'))],
    ['LINK_OUTSIDE_FOLDER', 'leads nowhere', () => symlinkSync('x', join(folder, 'x'))],
    ['SPECIAL_FILE', 'neither a file', () => execFileSync('mkfifo', [join(folder, 'src/pipe')])],
  ];

  for (const [code, says, prepare, limits] of refusals) {
    it(`${code}: ${says}`, async () => {
      prepare();
      await expect(readPluginFolder(folder, limits)).rejects.toMatchObject({
        code: 'INVALID_MANIFEST',
        details: { problems: [{ severity: 'error', code, path: '', line: 1, column: 1, message: expect.stringContaining(says) }] },
      });
    });
  }

  it('is tried for every code of folders', () => {
    expect([...new Set(refusals.map(([code]) => code))].sort()).toEqual([...folderCodes].sort());
  });
});
