import { WebSocket } from 'ws';

/** @param {string} url @returns {Promise<WebSocket>} without compression, which every peer leaves out */
export function dialWebSocket(url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
