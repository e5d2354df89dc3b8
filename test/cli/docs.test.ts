import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { root } from '../../scripts/run.js';
import { bin } from './run-cli.js';

vi.setConfig({ testTimeout: 60_000 });

const page = join(root, 'docs/cli.md');
const sessions = [...readFileSync(page, 'utf8').matchAll(/^```console\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');

/** Types the lines of a session that begin with `$ ` into a shell, and returns what a terminal would show. */
function replay(session: string): Promise<string> {
  const commands = session.split('\n').flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []));
  const script = commands.map((command) => {
    const program = command.replace(/^synapse-worker(?= )/, `"$NODE" "$BIN"`);
    // Between two commands, `$?` is that of the first.
    return `printf '%s\\n' ${quoted(`$ ${command}`)}\n(exit $status)\n${program}\nstatus=$?`;
  });
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', `exec 2>&1\nstatus=0\n${script.join('\n')}`], {
      cwd: join(root, 'test/fixtures'),
      env: { ...process.env, NODE: process.execPath, BIN: bin },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    child.once('error', reject);
    child.once('close', () => resolve(shown));
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** An id is a new one each time. */
function withoutIds(text: string): string {
  return text.replace(/(decision |"decisionId":")[\w-]{21}/g, '$1…');
}

describe.concurrent('[cli.validate] [cli.run] the examples of docs/cli.md', () => {
  test('are there', () => {
    expect(sessions.length).toBeGreaterThan(8);
    expect(sessions.filter((session) => !session.startsWith('$ '))).toEqual([]);
  });

  test.each(sessions.map((session) => [session.split('\n')[0], session]))('%s', async (_first, session) => {
    expect(withoutIds(await replay(session))).toBe(withoutIds(session));
  });
});
