/** What a worker dials and a host listens on. @param {'unix' | 'websocket'} name */
export async function transportOf(name) {
  if (name === 'unix') return (await import('@synapse/worker-runtime/transports/unix')).unixTransport();
  return (await import('@synapse/worker-runtime/transports/websocket')).webSocketTransport();
}
