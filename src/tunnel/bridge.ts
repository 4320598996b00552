import type { Socket } from 'node:net';
import type { TunnelStream } from './stream.js';

/**
 * Joins a local socket (opened with `allowHalfOpen`) and a tunnel stream, both ways, with
 * backpressure and half-close; whichever breaks ends the other.
 *
 * @param cut ends the socket of a stream that broke off
 */
export function bridge(
  socket: Socket,
  stream: TunnelStream,
  cut: (socket: Socket) => void = (broken) => {
    broken.destroySoon();
  },
): void {
  let streamClosed = false;
  let streamEnded = false;
  stream.onData((bytes) => {
    if (!socket.write(bytes)) stream.pause();
  });
  socket.on('drain', () => {
    stream.resume();
  });
  stream.onEnd(() => {
    streamEnded = true;
    socket.end();
  });
  stream.onDrain(() => socket.resume());
  stream.onClose((fault) => {
    streamClosed = true;
    // What was received before is still written out; a faulty end must not look like a good one.
    if (fault === undefined && streamEnded) socket.end();
    else if (!socket.destroyed) cut(socket);
  });
  socket.on('data', (bytes: Buffer) => {
    if (!stream.write(bytes)) socket.pause();
  });
  socket.on('end', () => {
    stream.end();
  });
  socket.on('error', () => {
    // `close` follows and carries the consequence.
  });
  socket.on('close', () => {
    if (!streamClosed) stream.destroy();
  });
}
