// A process of workers that dial in: node dial-in.mjs unix|websocket. Its orders come over its IPC channel.
import { nodePlatform } from '@synapse/worker-runtime/node';
import { dialPlugin } from '@synapse/worker-runtime/plugin';
import { echoPlugin } from './echo-plugin.mjs';
import { transportOf } from './transport-of.mjs';

process.on('disconnect', () => process.exit(0));
const transport = await transportOf(process.argv[2]);
const platform = nodePlatform();

process.on('message', async ({ address, events, workers }) => {
  const began = process.hrtime.bigint();
  try {
    await Promise.all(
      workers.map((who) =>
        dialPlugin(echoPlugin({ events }), {
          ...who,
          platform,
          dial: (options) => transport.dial(address, options),
          redial: { giveUpAfterMs: 1_000 },
        }),
      ),
    );
    process.send({ began: String(began) });
  } catch (error) {
    process.send({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.send({ ready: true });
