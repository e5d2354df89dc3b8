// The main job of the runtime, on real input: a message arrives at a channel (Node), the host routes it to a model provider (Python), the answer
// streams back through the channel to the terminal. On the way the provider tries something that nobody granted.
//
//   npm run demo                 summarises this project's README
//   npm run demo -- FILE         … a file
//   … | npm run demo -- -        … standard input (also taken when it is a pipe or a file)

import { fstatSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeHost } from '@synapse/worker-runtime/node';
import { channelContract, modelProviderContract } from '@synapse/worker-runtime/plugin';
import { buildNodePlugin } from './build.js';
import { preparePythonPlugin } from './python.js';

const here = dirname(fileURLToPath(import.meta.url));
const maxDocumentBytes = 2 * 1024 * 1024;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
/** A document may hold anything: what would steer the terminal is shown instead. */
const harmless = (text: string): string => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '�');

const { name, text } = await readInput(process.argv[2]);
const python = preparePythonPlugin(say);
if ('problem' in python) say(`Python is not available here: ${python.problem}. The TypeScript twin of the provider runs instead.`);
const providerFolder = 'problem' in python ? await buildNodePlugin('node-summarizer') : python.directory;

const host = createNodeHost({
  policy: join(here, 'policy.yml'),
  logger: { debug() {}, info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
  // The embedder decides where a message goes: here to the model provider, and its answer back to the channel.
  routeMessage: async (message, call) => {
    const model = host.plugin('summarizer').as(modelProviderContract);
    const terminal = host.plugin('terminal').as(channelContract);
    const stream = model.stream({ model: 'extractive', messages: [{ role: 'user', content: message.text }] }, { within: call });
    for await (const piece of stream) await terminal.sendMessage({ ...message, text: piece }, { within: call });
    await stream.result;
  },
});
host.events.subscribe('terminal.output', ({ payload }) => void process.stdout.write(harmless((payload as { text: string }).text)));
host.on('plugin.log', ({ plugin, level, message, fields }) => say(`\n   [${plugin}] ${level}: ${message} ${JSON.stringify(fields)}`));
try {
  const channelPlugin = await host.install(await buildNodePlugin('terminal-channel'), { trust: 'official' });
  const modelPlugin = await host.install(providerFolder, { trust: 'community', config: { sentences: 5 } });
  await Promise.all([channelPlugin.start(), modelPlugin.start()]);
  for (const { id, worker } of host.plugins) say(`${id}: process ${worker?.pid}, ${worker?.description}`);
  say(`\n── a message with ${name} (${text.length} characters) arrives; the summary streams back ──`);

  await channelPlugin.as(channelContract).onMessage({
    channelId: 'terminal',
    externalUserId: 'you',
    conversationId: 'demo',
    text,
    receivedAt: new Date().toISOString(),
  });

  if (text.trim() === '') say('The document is empty: there is nothing to summarise.');
  say('\n\n── audit ──');
  for (const record of host.audit()) {
    if (record.kind === 'decision')
      say(`${record.effect.toUpperCase()}  ${record.pluginId} ${record.method}: ${record.reason} (decision ${record.decisionId})`);
    if (record.kind === 'grant') say(`grant  ${record.pluginId} ${record.capability} ${JSON.stringify(record.scope)} by ${record.by}`);
    if (record.kind === 'calls') say(`calls  ${record.pluginId} ${record.method} × ${record.allowed}`);
    if (record.kind === 'lifecycle') say(`state  ${record.pluginId} ${record.from} → ${record.to}`);
  }
} finally {
  await host.stop();
}
say('Everything has stopped.');

/** A file, standard input (`-`, or a pipe on which something arrives within a second), or this project's README. */
async function readInput(argument: string | undefined): Promise<{ name: string; text: string }> {
  const bytes = argument === '-' || argument === undefined ? await readStandardInput(argument === '-') : readDocument(argument);
  if (bytes !== undefined && bytes.length > maxDocumentBytes)
    say(`The document has ${bytes.length} bytes; the first ${maxDocumentBytes} are summarised.`);
  const document = bytes ?? readFileSync(join(here, '..', '..', 'README.md'));
  const source = argument === '-' || (argument === undefined && bytes !== undefined) ? 'standard input' : (argument ?? 'README.md');
  return { name: source, text: document.subarray(0, maxDocumentBytes).toString('utf8') };
}

async function readStandardInput(wanted: boolean): Promise<Buffer | undefined> {
  const stats = fstatSync(0);
  if (!wanted && !(stats.isFIFO() || stats.isFile() || stats.isSocket())) return undefined;
  const chunks: Buffer[] = [];
  // A pipe may have been inherited from somebody who never writes.
  const giveUp = (): void => {
    say('Nothing arrives on standard input; the README is summarised. Use "npm run demo -- -" to wait for it.');
    process.stdin.destroy();
  };
  const timer = wanted ? undefined : setTimeout(giveUp, 1_000);
  try {
    for await (const chunk of process.stdin) {
      clearTimeout(timer);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (wanted || chunks.length > 0) throw error;
  }
  clearTimeout(timer);
  return wanted || chunks.length > 0 ? Buffer.concat(chunks) : undefined;
}

function readDocument(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    console.error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}). Usage: npm run demo [-- FILE | -- -]`);
    process.exit(2);
  }
}
