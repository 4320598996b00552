import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { Pool, type Dispatcher } from 'undici';
import type { HttpConnection } from '../../../core/resources.js';
import type { Header } from '../../../protocols/http/dialect.js';

/** A model may think for minutes before its first byte, and between two. */
const SILENCE_MS = 15 * 60_000;
const CONNECT_MS = 10_000;
/** Idle sockets are dropped before most servers would: a request on one that is just being closed would fail. */
const IDLE_MS = 4_000;

/** Most bytes of the headers of an answer: some set many cookies, and Node's own bound is a fourth of that. */
const MAX_ANSWER_HEADER_BYTES = 64 * 1024;

/** Requests that change nothing (RFC 9110 section 9.2.1), besides TRACE. */
const REPEATABLE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
const CUT: readonly string[] = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/** Answers that end with their head. */
const BODYLESS: readonly number[] = [204, 304];

export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, below the connection's `url`. */
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer | Uint8Array | Readable | undefined;
}

/** Holds the upstream's sending. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** Takes the upstream's answer as it comes. */
export interface AnswerSink {
  /**
   * @param rawHeaders names and values by turns
   * @param reason the words behind the status
   */
  head(status: number, rawHeaders: readonly string[], flow: Flow, reason: string): void;
  data(chunk: Buffer): void;
  end(): void;
  /** Nothing more follows: not reached, or broken off. */
  failed(error: Error): void;
}

/** The upstreams of all connections: a pool of sockets for each address. */
export class Upstreams {
  readonly #pools = new Map<string, { readonly pool: Pool; readonly base: string }>();

  /**
   * Sends one request. Redirects are given on, never followed: they would carry the credential elsewhere. One that
   * changes nothing is sent again, once, where the socket is cut before an answer: most often it had been idle, and the
   * server was just closing it (RFC 9112 section 9.3.1).
   *
   * @returns ends it, whatever state it is in; the sink hears nothing after it
   */
  send(connection: HttpConnection, request: UpstreamRequest, sink: AnswerSink): () => void {
    const { pool, base } = this.#upstream(connection);
    const sent = { ...request, target: base + request.target };
    let abort = dispatch(pool, sent, sink, (error) => {
      if (!isAskedAgain(request, error)) return false;
      abort = dispatch(pool, sent, sink, () => false);
      return true;
    });
    return () => {
      abort();
    };
  }

  /** Ends every socket. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(({ pool }) => pool.destroy()));
  }

  #upstream(connection: HttpConnection): { readonly pool: Pool; readonly base: string } {
    const key = `${connection.url} ${connection.ca ?? ''}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const url = new URL(connection.url);
    const pool = new Pool(url.origin, {
      connections: null,
      pipelining: 1,
      maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: {
        timeout: CONNECT_MS,
        minVersion: 'TLSv1.2',
        ...(connection.ca === undefined ? {} : { ca: readFileSync(connection.ca) }),
      },
    });
    const made = { pool, base: url.pathname.replace(/\/$/, '') };
    this.#pools.set(key, made);
    return made;
  }
}

/** Is a request that was cut sent a second time? Never one that may have done something, or whose body is gone. */
function isAskedAgain({ method, body }: UpstreamRequest, error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return REPEATABLE.includes(method) && body === undefined && code !== undefined && CUT.includes(code);
}

/**
 * @param cut asked where it failed before any answer: true, where another has taken its place
 * @returns ends it, whatever state it is in; the sink hears nothing after it
 */
function dispatch(pool: Pool, request: UpstreamRequest, sink: AnswerSink, cut: (error: Error) => boolean): () => void {
  let controller: Dispatcher.DispatchController | undefined;
  let over = false;
  let answered = false;
  let hasBody = true;
  const finish = (tell: () => void): void => {
    if (over) return;
    over = true;
    tell();
  };
  pool.dispatch(
    { method: request.method, path: request.target, headers: request.headers.flat(), body: request.body ?? null },
    {
      onRequestStart: (started) => {
        controller = started;
        if (over) started.abort(new Error('the client left'));
      },
      onResponseStart: (started, status, headers, reason) => {
        // 1xx: interim answers mean nothing to us.
        answered = true;
        hasBody = !BODYLESS.includes(status);
        if (!over && status >= 200) sink.head(status, listOf(headers), started, reason ?? '');
      },
      onResponseData: (_, chunk) => {
        if (!over) sink.data(chunk);
      },
      onResponseEnd: () => {
        finish(() => {
          sink.end();
        });
      },
      onResponseError: (_, error) => {
        finish(() => {
          if (!answered && cut(error)) return;
          // A length of a body that is not sent is allowed here, and undici misses the body (RFC 9110 section 8.6).
          if (hasBody) sink.failed(error);
          else sink.end();
        });
      },
    },
  );
  return () => {
    over = true;
    controller?.abort(new Error('the client left'));
  };
}

function listOf(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) list.push(name, one);
  }
  return list;
}
