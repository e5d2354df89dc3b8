/**
 * Takes orders over the IPC channel, one at a time, and answers with what they give. The process ends with whoever gives them.
 * @param {Readonly<Record<string, (details: any) => unknown>>} orders
 */
export function takeOrders(orders) {
  process.on('disconnect', () => process.exit(1));
  process.on('message', async ({ order, ...details }) => {
    try {
      process.send({ value: await orders[order](details) });
    } catch (error) {
      process.send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}
