#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { sdkIdentity } from '../plugin/sdk-identity.js';
import { trustTiers } from '../policy/policy.js';
import { type ExitStatus, exitStatus } from './exit-status.js';
import { Interruption } from './interruption.js';
import { type RunOptions, run } from './run.js';
import { processTerminal } from './terminal.js';
import { type ValidateOptions, validate } from './validate.js';

/** How long something that keeps the process alive after its work is tolerated. */
const lingerMs = 2_000;

async function main(): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.ok;
  const program = new Command('synapse-worker')
    .description('Checks and runs Synapse plugins outside the host process.')
    .version(sdkIdentity.version)
    .exitOverride()
    .showHelpAfterError('(--help says more)');

  program
    .command('validate')
    .description('Says whether a plugin can be installed: the very checks of host.install. Exit 0 valid, 1 not valid, 2 called wrongly.')
    .argument('<folder|file>', 'folder of the plugin, or a manifest alone')
    .option('--json', 'print one object { valid, manifest, problems }')
    .action(async (path: string, options: ValidateOptions) => {
      status = await validate(path, options, processTerminal({ onReaderGone: () => process.exit(exitStatus.readerGone) }));
    });

  program
    .command('run')
    .description('Starts a plugin, calls one method or stream, prints what comes of it as JSON, and stops it. Exit 0, 1 failed, 2 called wrongly.')
    .argument('<folder>', 'folder of the plugin')
    .requiredOption('--call <method>', 'method or stream to call')
    .option('--params <json>', 'params: JSON, @FILE, or - for standard input (default: {})')
    .option('--policy <file>', 'policy of the operator, YAML or JSON (default: nothing is granted by itself)')
    .option('--config <file>', "configuration of the plugin, YAML or JSON (default: its schema's defaults)")
    .option('--grant <capability[:scope]>', 'grant what the manifest requests, or a part of it; may be repeated', collect)
    .addOption(new Option('--trust <tier>', 'how far you trust the plugin').choices(trustTiers).default('unverified'))
    .option('--timeout <ms>', 'time limit of the call, 0 for none (default: 30000; streams: 30000 of silence)', milliseconds)
    .option('--start-timeout <ms>', 'time limit of the start (default: 30000)', positiveMilliseconds)
    .option('--json', 'print one object { ok, result?, items?, error?, denials, logs } at the end')
    .addHelpText(
      'after',
      `
Example:
  synapse-worker run plugins/mailer --call send --params '{"to":"a@example.com"}' --grant 'events.publish:topics=mail.*'`,
    )
    .action(async (folder: string, options: RunOptions) => {
      const interruption = new Interruption();
      const terminal = processTerminal({ onReaderGone: () => interruption.interrupt(exitStatus.readerGone) });
      status = await run(folder, options, terminal, interruption);
    });

  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version are no errors; commander has printed what there is to say.
    status = error.exitCode === 0 ? exitStatus.ok : exitStatus.usage;
  }
  return status;
}

function collect(word: string, words: readonly string[] = []): readonly string[] {
  return [...words, word];
}

function milliseconds(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 2 ** 31 - 1) throw new InvalidArgumentError('A time is a whole number of milliseconds, at most 2147483647.');
  return value;
}

function positiveMilliseconds(text: string): number {
  const value = milliseconds(text);
  if (value === 0) throw new InvalidArgumentError('A start without a limit could last for ever; name a large one.');
  return value;
}

void main().then((status) => {
  // Ends by itself, with everything written; the timer alone does not keep it.
  process.exitCode = status;
  setTimeout(() => process.exit(status), lingerMs).unref();
});
