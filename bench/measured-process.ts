import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Answer = { readonly value: unknown } | { readonly error: string };

/** What is measured runs in plain Node, without a loader, without this one's flags. */
const file = (name: string): string => fileURLToPath(new URL(`measured/${name}`, import.meta.url));

/** Starts the processes that measure, and sees that nothing of them is left. */
export class MeasuredProcesses {
  readonly #running = new Set<MeasuredProcess>();
  /** Sockets and private folders of everything that is measured: they are removed with it, also where it was killed. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'bench-'));

  /** @param name of a file of `bench/measured` */
  start(name: string): MeasuredProcess {
    const process = new MeasuredProcess(name, this.#folder, () => this.#running.delete(process));
    this.#running.add(process);
    return process;
  }

  /** Ends everything at once. */
  end(): void {
    for (const process of this.#running) process.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A process that measures on orders, one at a time. It leads a process group of its own, so that nothing that it started outlives it. */
class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #answer: ((answer: Answer) => void) | undefined;

  constructor(name: string, folder: string, onExit: () => void) {
    // Standard output belongs to the results.
    this.#child = spawn(process.execPath, ['--expose-gc', file(name)], {
      stdio: ['ignore', 2, 2, 'ipc'],
      detached: true,
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', TMPDIR: folder },
    });
    this.#exited = new Promise((resolve) => {
      const ended = (how: unknown): void => {
        onExit();
        this.#answer?.({ error: `It ended (${String(how)}).` });
        resolve();
      };
      this.#child.once('exit', (code, signal) => ended(signal ?? code)).once('error', ended);
    });
    this.#child.on('message', (answer: Answer) => this.#answer?.(answer));
  }

  /** Gives an order. Rejects with what went wrong over there, or when `limitMs` is over; then the process is at its end. */
  async order(order: string, details: object, limitMs: number): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const answer = await new Promise<Answer>((resolve) => {
      this.#answer = resolve;
      timer = setTimeout(() => {
        resolve({ error: `It gave no answer to "${order}" within ${limitMs} ms.` });
        this.kill();
      }, limitMs);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve({ error: 'It has ended.' });
      else this.#child.send({ order, ...details }, () => {});
    });
    clearTimeout(timer);
    this.#answer = undefined;
    if ('error' in answer) throw new Error(answer.error);
    return answer.value;
  }

  /** Lets it stop what it started, then ends it. */
  async end(): Promise<void> {
    await this.order('stop', {}, 30_000).catch(() => {});
    this.kill();
    await this.#exited;
  }

  kill(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It has gone by itself.
    }
  }
}

export type { MeasuredProcess };
