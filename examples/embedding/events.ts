import type { Host } from '@synapse/worker-runtime';

/** Tells the operator what happens, until the function that it returns is called. */
export function watch(host: Host): () => void {
  const ends = [
    host.on('plugin.state', ({ plugin, to, reason }) => {
      if (to === 'quarantined') console.log(`${plugin} is down: ${reason?.message} ${reason?.action}`);
    }),
    host.on('plugin.log', ({ plugin, level, message, fields }) => console.log(`${plugin} ${level}: ${message}`, fields)),
    host.on('audit', (record) => {
      if (record.kind === 'decision') console.log(`denied to ${record.pluginId}: ${record.reason} (decision ${record.decisionId})`);
    }),
    host.events.subscribe(
      'letters.*',
      async ({ topic, source, payload, missed = 0 }) => console.log(topic, 'from', source, payload, missed > 0 ? `after ${missed} missed` : ''),
      { capacity: 100, onFull: 'drop-oldest' },
    ),
  ];
  return () => {
    for (const end of ends) end();
  };
}

/** Publishes in the name of the host, and waits for the event that a plugin answers with. */
export async function orderAndWait(host: Host, customer: string): Promise<void> {
  const answered = new Promise<void>((resolve) => {
    const end = host.events.subscribe('letters.sent', () => {
      end();
      resolve();
    });
  });
  await host.events.publish('orders.placed', { customer });
  await answered;
}
