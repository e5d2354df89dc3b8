import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bin } from '../cli/run-cli.js';

const page = readFileSync('docs/plugin-authors.md', 'utf8');
/** The blocks that say in their first line which file they are. */
const files = [...page.matchAll(/^```(?:yaml|json|ts)\n((?:#|\/\/) (\S+)\n[\s\S]*?)^```/gm)].map(([, text = '', path = '']) => ({ path, text }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'authors-'));
  // Beside the plugin, as if they had been installed: a link that leads out of its folder would be refused.
  mkdirSync(join(folder, 'node_modules/@synapse'), { recursive: true });
  symlinkSync(resolve('.'), join(folder, 'node_modules/@synapse/worker-runtime'));
  for (const name of ['zod', '@types']) symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('whoever follows docs/plugin-authors.md to the letter sees what it shows', { timeout: 60_000 }, async () => {
  const plugin = join(folder, 'mail-digest');
  for (const { path, text } of files) {
    mkdirSync(dirname(join(plugin, path)), { recursive: true });
    writeFileSync(join(plugin, path), text);
  }
  expect(page).toContain('\nnpm pkg set type=module\n');
  writeFileSync(join(plugin, 'package.json'), '{ "type": "module" }');
  const session = /^```console\n([\s\S]*?)^```/m.exec(page)?.[1] ?? '';
  // The types of this page's plugin are checked with the tests; here its declarations may not have been built.
  const tsc = `"${process.execPath}" "${resolve('node_modules/typescript/bin/tsc')}" --noCheck`;
  const cli = `"${process.execPath}" "${bin}"`;
  let shown = '';
  for (const [, command = ''] of session.matchAll(/^\$ (.*)$/gm)) {
    const program = command.replace(/^npx tsc$/, tsc).replace(/^npx synapse-worker /, `${cli} `);
    expect(program).not.toContain('npx');
    shown += `$ ${command}\n${await runShell(program, plugin)}`;
  }
  expect(shown).toBe(session);
});

/** What a terminal would show of a command line. */
function runShell(line: string, cwd: string): Promise<string> {
  return new Promise((resolveWith, reject) => {
    const child = spawn('sh', ['-c', `exec 2>&1\n${line}`], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    child.once('error', reject);
    child.once('close', () => resolveWith(shown));
  });
}
