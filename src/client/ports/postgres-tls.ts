import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { HoopError } from '../../core/errors.js';

/**
 * The local end's part of a Postgres client's request for encryption. Before its start-up packet a client
 * may send, in any order,
 *
 *     SSLRequest     00 00 00 08 04 d2 16 2f   answered `S`, then TLS
 *     GSSENCRequest  00 00 00 08 04 d2 16 30   answered `N`: Kerberos is never spoken here
 *
 * or begin TLS at once (`sslnegotiation=direct`): a ClientHello, first byte 0x16, which must name the
 * protocol by ALPN, so that no other program's TLS can be led here. Anything else is a client without TLS.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
const REQUEST_BYTES = 8;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const TLS_HANDSHAKE = 0x16;
const ALPN = 'postgresql';
/** From connecting to the end of the handshake; a client that says nothing is cut, as the agent would. */
const NEGOTIATION_TIMEOUT_MS = 15_000;

/**
 * Answers requests for encryption until it is clear what the client speaks.
 *
 * @param socket paused, nothing read of it
 * @returns the socket to go on with, paused: a TLS one, or the same with what was read put back
 * @throws HoopError `protocol`; the socket is destroyed
 */
export async function negotiateTls(socket: Socket, context: SecureContext): Promise<Socket> {
  const timer = setTimeout(() => socket.destroy(), NEGOTIATION_TIMEOUT_MS);
  try {
    for (let gssAnswered = false; ; gssAnswered = true) {
      const head = await firstBytes(socket);
      if (head[0] === TLS_HANDSHAKE) {
        socket.unshift(head);
        const secured = await handshake(socket, context);
        if (secured.alpnProtocol === ALPN) return secured;
        throw new HoopError('protocol', 'direct TLS without the ALPN protocol postgresql');
      }
      const asks = head.length >= REQUEST_BYTES && head.readUInt32BE(0) === REQUEST_BYTES ? head.readUInt32BE(4) : 0;
      if (asks === SSL_REQUEST) {
        // What came behind was not encrypted, yet would be taken as if it were (CVE-2021-23214).
        if (head.length > REQUEST_BYTES) throw new HoopError('protocol', 'unencrypted data after the request for TLS');
        socket.write('S');
        return await handshake(socket, context);
      }
      if (asks !== GSS_REQUEST || gssAnswered) {
        socket.unshift(head);
        return socket;
      }
      if (head.length > REQUEST_BYTES) socket.unshift(head.subarray(REQUEST_BYTES));
      socket.write('N');
    }
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** At least a whole request, or one byte that begins none; all that has come. The socket is paused. */
function firstBytes(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0);
    const finish = (): void => {
      socket.pause();
      socket.off('data', take).off('end', left).off('close', left);
    };
    const take = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes]);
      // Every plain packet begins with a length, whose first byte is 0.
      if (held[0] === 0 && held.length < REQUEST_BYTES) return;
      finish();
      resolve(held);
    };
    const left = (): void => {
      finish();
      reject(new HoopError('protocol', 'it hung up before it said what it wants'));
    };
    socket.on('data', take).once('end', left).once('close', left);
    if (socket.destroyed) left();
    else socket.resume();
  });
}

function handshake(socket: Socket, context: SecureContext): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: context,
      ALPNProtocols: Buffer.from(`${String.fromCharCode(ALPN.length)}${ALPN}`, 'latin1'),
    });
    secured.on('error', () => undefined);
    secured.once('close', () => {
      reject(new HoopError('protocol', 'the TLS handshake failed'));
    });
    secured.once('secure', () => {
      secured.pause();
      resolve(secured);
    });
  });
}
