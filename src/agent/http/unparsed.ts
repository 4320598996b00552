import type { Duplex } from 'node:stream';
import { HoopError } from '../../core/errors.js';
import { refuseSocket } from './answer.js';
import { Refusal } from './gate.js';

/** Most bytes of a request's line and headers together. */
export const MAX_HEADER_BYTES = 32 * 1024;

/** What Node's parser or its timers refused; a TLS handshake or a peer that failed gets no words. */
export function refuseUnparsed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const code = error.code ?? '';
  if (code === 'HPE_HEADER_OVERFLOW') {
    refuseSocket(
      socket,
      new Refusal(431, new HoopError('limit', `the headers are longer than ${MAX_HEADER_BYTES} bytes`)),
    );
  } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuseSocket(socket, tooSlow());
  } else if (code.startsWith('HPE_')) {
    refuseSocket(socket, new Refusal(400, notHttp(code)));
  } else {
    socket.destroy();
  }
}

/** Who speaks HTTP/2 without having agreed on it (gRPC, curl's `--http2-prior-knowledge`) is told so: no flag of ours helps. */
function notHttp(code: string): HoopError {
  const early = code === 'HPE_PAUSED_H2_UPGRADE';
  const said = early ? 'HTTP/1.1 was expected, and HTTP/2 came' : 'this is not a request that HTTP allows';
  return new HoopError('usage', said, { suggestion: early ? 'have the client speak HTTP/1.1' : 'see RFC 9112' });
}

export function tooSlow(): Refusal {
  return new Refusal(408, new HoopError('usage', 'the request did not come in time'));
}
