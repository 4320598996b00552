import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.js';
import { roomIn } from './delivery.js';
import type { SeenRequest } from './seen-request.js';

const BLOCK = Buffer.alloc(64 * 1024, 'hoop');

/** Paths whose bodies are not held: `POST /plain/count` and `GET /plain/bytes/N`. @returns whether it was one */
export async function streamPlain(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const { pathname } = new URL(request.url ?? '/', 'http://upstream');
  if (pathname === '/plain/count') {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const part of request as AsyncIterable<Buffer>) {
      hash.update(part);
      bytes += part.length;
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ bytes, sha256: hash.digest('hex') }));
    return true;
  }
  const size = /^\/plain\/bytes\/(\d{1,12})$/.exec(pathname)?.[1];
  if (size === undefined) return false;
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  for (let left = Number(size); left > 0 && !response.destroyed; left -= BLOCK.length) {
    const isRoom = response.write(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK);
    if (!isRoom) await roomIn(response);
  }
  response.end();
  return true;
}

/**
 * Any other path below `/plain/`: `/plain/body` gives the request's body back with its type, `/plain/status/NNN` a
 * status, anything else the request as it arrived, as JSON.
 */
export function plainAnswer(seen: SeenRequest): Answer {
  const { pathname } = new URL(seen.url, 'http://upstream');
  const status = /^\/plain\/status\/([2-5]\d\d)$/.exec(pathname)?.[1];
  const isBody = pathname === '/plain/body';
  return {
    kind: 'whole',
    status: Number(status ?? 200),
    contentType: isBody ? (seen.headers['content-type'] ?? 'application/octet-stream') : 'application/json',
    body: isBody ? seen.body : JSON.stringify(arrived(seen)),
  };
}

/** A request as it arrived: what a test compares with what was sent. */
export function arrived({ method, url, headers, body }: SeenRequest): unknown {
  return { method, url, headers, body };
}
