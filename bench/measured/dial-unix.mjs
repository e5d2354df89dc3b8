import { connect } from 'node:net';

/** @param {string} path @returns {Promise<import('node:net').Socket>} */
export function dialUnix(path) {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
