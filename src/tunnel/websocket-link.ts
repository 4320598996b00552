import type { WebSocket } from 'ws';
import { type RawData } from 'ws';
import type { Fault } from '../core/errors.js';
import { Mux } from './mux.js';

/** A peer that is silent for two of these is dead. */
const PING_INTERVAL_MS = 15_000;
/** Largest WebSocket message taken; ours are at most 1 MiB. */
export const MAX_MESSAGE_BYTES = 4 << 20;

/**
 * Runs a mux over an open WebSocket: binary messages only, pings, dead-peer detection.
 *
 * @param onClose called once when the WebSocket is gone, after every stream was told
 */
export function muxOverWebSocket(
  socket: WebSocket,
  role: 'opener' | 'acceptor',
  onClose: (fault?: Fault) => void,
): Mux {
  const mux = new Mux({
    role,
    schedule: setImmediate,
    link: {
      send: (bytes, done) => {
        socket.send(bytes, { binary: true, compress: false }, done);
      },
      bufferedBytes: () => socket.bufferedAmount,
      close: () => {
        socket.close(1000);
      },
    },
  });
  let alive = true;
  let fault: Fault | undefined;
  const timer = setInterval(() => {
    if (!alive) {
      fault = { code: 'unreachable', message: 'the other end of the tunnel has stopped answering' };
      socket.terminate();
      return;
    }
    alive = false;
    socket.ping();
  }, PING_INTERVAL_MS);
  timer.unref();
  socket.on('pong', () => {
    alive = true;
  });
  socket.on('message', (data: RawData, isBinary: boolean) => {
    alive = true;
    if (isBinary) mux.receive(data as Buffer);
    else mux.close({ code: 'protocol', message: 'expected a binary WebSocket message, got text' });
  });
  socket.on('error', (error) => (fault ??= { code: 'unreachable', message: `tunnel: ${error.message}` }));
  socket.on('close', (code, reason) => {
    clearInterval(timer);
    const told = reason.toString();
    if (code !== 1000)
      fault ??= { code: 'unreachable', message: told === '' ? `the tunnel closed (${String(code)})` : told };
    mux.close(fault);
    onClose(fault);
  });
  return mux;
}
