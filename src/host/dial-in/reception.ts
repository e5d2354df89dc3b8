import { WorkerRuntimeError } from '../../errors/worker-runtime-error.js';
import type { Launcher } from '../../interfaces/launcher.js';
import type { HelloFields, WelcomeFields } from '../../messages/message.js';
import type { Worker } from '../../worker/worker.js';
import type { PluginState } from '../plugin-table.js';
import type { StartRequirements } from '../start-requirements.js';
import type { StartAttempt } from '../supervisor-options.js';
import type { DialInPort, DialledWorker } from './dial-in-port.js';
import type { Arrival } from './gate.js';

/** What a supervisor lets the reception of its dialled-in workers see and do. */
export interface ReceptionOptions {
  readonly pluginId: string;
  readonly port: DialInPort;
  state(): PluginState;
  /** Whether nothing runs and nothing is about to. */
  resting(): boolean;
  attempt(): StartAttempt | undefined;
  worker(): Worker | undefined;
  /** Whether a worker that dials in may be had at all. */
  requirements(): StartRequirements;
  /** Begins a start. */
  begin(launcher: Launcher): Promise<void>;
  /** What a worker of this generation is told. @throws HANDSHAKE_INVALID */
  welcome(hello: HelloFields, generation: number): Omit<WelcomeFields, 'version' | 'features'>;
}

/** Receives the workers of one plugin that the gate lets in: they start it, or go on where they were. */
export class Reception {
  readonly #options: ReceptionOptions;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /**
   * Starts the plugin with a worker that has dialled in. Rejects with OVERLOADED if it has one, WORKER_UNAVAILABLE if it takes none, or as the start
   * does; whether the worker was taken, its connection says.
   */
  async start(worker: DialledWorker): Promise<void> {
    const { pluginId, port, begin } = this.#options;
    const attempt = this.#options.attempt();
    const state = this.#options.state();
    const awaited = attempt?.cancelled === undefined && attempt?.launcher === port && (!attempt.launched || port.waiting);
    const requirements = this.#options.requirements();
    if (!requirements.startable) throw new WorkerRuntimeError('WORKER_UNAVAILABLE', `"${pluginId}" takes no such worker: ${requirements.message}`);
    if (!awaited && (state === 'disabled' || state === 'quarantined'))
      throw new WorkerRuntimeError('WORKER_UNAVAILABLE', `"${pluginId}" takes no workers: it is ${state} at the host.`);
    const busy = new WorkerRuntimeError('OVERLOADED', `"${pluginId}" has a worker already.`);
    if ((!awaited && !this.#options.resting()) || !port.offer(worker)) throw busy;
    try {
      await (awaited ? attempt.done : begin(port));
    } finally {
      port.withdraw(worker);
    }
    // The former worker came back meanwhile.
    if (!worker.connection.taken) throw busy;
  }

  /** The latest worker begins anew on another connection: what is left of its former session ends. Rejects as {@link Reception.start} does. */
  async startAnew(worker: DialledWorker): Promise<void> {
    if (!this.#options.port.waiting) {
      const attempt = this.#options.attempt();
      await this.#options.worker()?.abandon('The worker dialled in anew.');
      if (attempt?.launched === true) await attempt.done.catch(() => {});
    }
    return this.start(worker);
  }

  /**
   * The latest worker goes on with its session over another connection. @param answer sends the welcome.
   * @returns whether it does: false if its session is over, or something was not kept.
   */
  resume({ connection, hello, peer }: Arrival, answer: (welcome: Omit<WelcomeFields, 'version' | 'features'>) => void): boolean {
    const worker = this.#options.worker();
    const { resume } = hello;
    if (resume === undefined || worker?.canResume(resume.received) !== true) return false;
    const welcome = this.#options.welcome(hello, worker.generation);
    answer({ ...welcome, session: resume.session, resume: this.#options.port.terms(resume.token), resumed: { received: worker.received } });
    worker.resume({ connection, description: `dialled in from ${peer}`, breakOff: (message) => connection.breakOff(message) }, resume.received);
    return true;
  }
}
