import { setTimeout as sleep } from 'node:timers/promises';
import { isWorkerRuntimeError, type Plugin } from '@synapse/worker-runtime';
import { letters } from './letters/contract.mjs';

export async function showStreams(plugin: Plugin): Promise<void> {
  const api = plugin.as(letters);

  const stream = api.indent({ by: 2 }, { input: lines('Dear Ada,', 'thank you.') });
  for await (const line of stream) console.log(line);
  console.log((await stream.result).lines, 'lines');

  const endless = api.indent({ by: 2 }, { input: clock() });
  for await (const line of endless) {
    console.log('first:', line.trim());
    break; // Leaving the loop cancels the stream, and ends the input.
  }
  await endless.result.catch((error: unknown) => console.log(isWorkerRuntimeError(error) && error.code));

  api.indent({ by: 2 }, { input: lines('never read') }).cancel('nobody wants it');
}

async function* lines(...texts: readonly string[]): AsyncGenerator<string> {
  yield* texts;
}

async function* clock(): AsyncGenerator<string> {
  try {
    for (let tick = 0; ; tick += 1) {
      yield `tick ${tick}`;
      await sleep(10);
    }
  } finally {
    console.log('the input has ended');
  }
}
