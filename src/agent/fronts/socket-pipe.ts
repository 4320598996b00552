import type { Socket } from 'node:net';
import type { Fault } from '../../core/errors.js';
import type { TunnelStream } from '../../tunnel/stream.js';

/** A TCP or TLS socket in the shape of a tunnel stream, so that the drive knows one kind of pipe. */
export function socketPipe(socket: Socket): TunnelStream {
  let closeListener: ((fault?: Fault) => void) | undefined;
  let fault: Fault | undefined;
  socket.on('error', (error) => {
    fault ??= { code: 'upstream_unreachable', message: error.message };
  });
  socket.on('close', () => {
    closeListener?.(fault);
  });
  return {
    write: (bytes) => socket.writable && socket.write(bytes),
    onData: (listener) => socket.on('data', listener),
    onDrain: (listener) => socket.on('drain', listener),
    onEnd: (listener) => socket.on('end', listener),
    onClose: (listener) => {
      closeListener = listener;
      if (socket.closed) listener(fault);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.end(),
    destroy: (given) => {
      fault ??= given;
      socket.destroy();
    },
  };
}
