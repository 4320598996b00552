// TCP → WebSocket → TCP in two processes of Node that read, decide and keep nothing: what the way alone costs.
//
//   node bare-relay.mjs network DATABASE_PORT     prints `port N` of its WebSocket server
//   node bare-relay.mjs laptop WEBSOCKET_PORT     prints `port N` of its TCP server
import { connect, createServer } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

const [side, given] = process.argv.slice(2);
const port = Number(given);

/** Bytes both ways, and each end told of the other's; the reading side stops while the writing one is full. */
function relay(socket, webSocket) {
  socket.setNoDelay(true);
  socket.on('data', (bytes) => {
    webSocket.send(bytes, { binary: true }, () => {
      if (webSocket.bufferedAmount < 1 << 20) socket.resume();
    });
    if (webSocket.bufferedAmount > 4 << 20) socket.pause();
  });
  webSocket.on('message', (bytes) => {
    if (!socket.write(bytes)) webSocket.pause();
  });
  socket.on('drain', () => webSocket.resume());
  socket.on('error', () => webSocket.terminate());
  socket.on('close', () => webSocket.close());
  webSocket.on('error', () => socket.destroy());
  webSocket.on('close', () => socket.destroy());
}

if (side === 'network') {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  server.on('connection', (webSocket) => relay(connect(port, '127.0.0.1'), webSocket));
  server.on('listening', () => console.log(`port ${server.address().port}`));
} else {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    webSocket.on('open', () => {
      relay(socket, webSocket);
      socket.resume();
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
}
