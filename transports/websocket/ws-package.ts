export { type ClientOptions, type ServerOptions, WebSocket, WebSocketServer } from 'ws';
