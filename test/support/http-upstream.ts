import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as an upstream got it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers one request; `seen` holds its whole body. */
export type Handler = (seen: Seen, response: ServerResponse, incoming: IncomingMessage) => void;

export interface HttpUpstream {
  readonly url: string;
  readonly seen: readonly Seen[];
  close(): void;
}

/** A real HTTP server that keeps what it was sent. */
export async function startHttpUpstream(handler: Handler): Promise<HttpUpstream> {
  const seen: Seen[] = [];
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const one = { method, url, headers, body: Buffer.concat(parts).toString() };
      seen.push(one);
      handler(one, response, incoming);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
