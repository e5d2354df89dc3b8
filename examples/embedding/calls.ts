import { isWorkerRuntimeError, type Plugin } from '@synapse/worker-runtime';
import { letters } from './letters/contract.mjs';

export async function showCalls(plugin: Plugin): Promise<void> {
  const api = plugin.as(letters);

  const { words } = await api.proofread(
    { text: 'to be read' },
    { timeoutMs: 5_000, onProgress: ({ fraction = 0, message }) => console.log(`${Math.round(fraction * 100)} %: ${message}`) },
  );
  console.log(words, 'words');

  // The same key is sent once: the second call gets the outcome of the first, and one mail is sent.
  const letter = { to: 'ada@example.com', text: 'Hello.' };
  const first = api.send(letter, { idempotencyKey: 'order-17' });
  const second = api.send(letter, { idempotencyKey: 'order-17' });
  console.log('sent', (await first).characters, (await second).characters);

  const long = { text: 'word '.repeat(1_000) };
  console.log(await outcome(api.proofread(long, { timeoutMs: 100 })));
  console.log(await outcome(api.proofread(long, { signal: AbortSignal.timeout(100) })));
  console.log(await outcome(api.send({ to: 'root@db.internal.example.com', text: 'Hello.' })));
  console.log(await outcome(api.send({ to: 'ada@example.com', text: 'Win a prize!' })));
}

/** What a caller may want to know of a call that failed. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await call);
  } catch (error) {
    if (!isWorkerRuntimeError(error)) throw error;
    const { code, handlerCode, details, mayHaveRun } = error;
    if (code === 'CAPABILITY_DENIED') return `${code} ${details.capability} ${JSON.stringify(details.scope)}`;
    return `${code}${handlerCode === undefined ? '' : ` (${handlerCode})`}${mayHaveRun ? ', may have run' : ''}`;
  }
}
