import { Socket } from 'node:net';
import { rawChannel } from '../raw-protocol.mjs';

const socket = new Socket({ fd: 3 });
const send = rawChannel(socket, process.argv[2], ([, id, , params]) => send([1, id, null, params]));
socket.on('end', () => process.exit(0));
