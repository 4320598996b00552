import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Offers that a server may ignore: whoever makes them goes on in HTTP/1.1. */
const OFFERS: readonly string[] = ['h2c', 'tls/1.0', 'tls/1.2', 'tls/1.3'];

/** Does a request merely offer another version of HTTP? Java's HttpClient does so with every request in the clear. */
export function isOffer({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const offered = headers.upgrade?.split(',').map((one) => one.trim().toLowerCase()) ?? [];
  return offered.length > 0 && offered.every((one) => OFFERS.includes(one));
}

/**
 * Has the server take an upgrade as the request that it is without one (RFC 9110 section 7.8). Node 20 gives every
 * upgrade away as soon as somebody listens for any; so the head is put back in front of what follows it, without the
 * offer, and parsed once more.
 *
 * @param head what Node read behind the request's head: its body, too
 */
export function ignoreUpgrade(server: Server, incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, rawHeaders } = incoming;
  let text = `${method ?? ''} ${url ?? ''} HTTP/1.1\r\n`;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (/^(?:upgrade|http2-settings)$/i.test(name)) continue;
    text += `${name}: ${rawHeaders[index + 1] as string}\r\n`;
  }
  // As Node decoded it, a character a byte.
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  // The parser that is giving the socket away has to be done with it.
  setImmediate(() => {
    if (!socket.destroyed) server.emit('connection', socket);
  });
}
