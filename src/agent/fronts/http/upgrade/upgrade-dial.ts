import { readFileSync } from 'node:fs';
import { IncomingMessage, type ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import httpProxy from 'http-proxy';
import type { HttpConnection } from '../../../../core/resources.js';
import type { Header } from '../../../../protocols/http/dialect.js';

/** From dialling to the upstream's answer to the handshake. */
const HANDSHAKE_MS = 15_000;
/** What the upstream has to close its socket once ours is over. */
const LINGER_MS = 800;
/** Between the 101 of the upstream, as the proxy writes it, and its frames. */
const HEAD_END = '\r\n\r\n';

export interface UpgradeDial {
  readonly connection: HttpConnection;
  /** Path and query, below the connection's `url`. */
  readonly target: string;
  /** All that goes up, `upgrade` and the stored credential included. */
  readonly headers: readonly Header[];
}

/** What the upstream made of the handshake. */
export interface DialledUpgrade {
  readonly status: number;
  /** Names and values by turns. */
  readonly rawHeaders: readonly string[];
  /** Its frames, where it switched protocols. */
  readonly socket: Duplex | undefined;
}

/**
 * Dials the upstream of an upgrade. The handshake and the bytes behind it are the proxy's; it is given one end of a
 * pair for the client's socket, so that nothing of the upstream gets to the client that was not looked at.
 *
 * Redirects and other refusals are told, never followed; their bodies are not read.
 *
 * @param signal gives up while the handshake is under way
 * @throws Error where the upstream can't be reached, or does not answer in time
 */
export function dialUpgrade(dial: UpgradeDial, signal: AbortSignal): Promise<DialledUpgrade> {
  return new Promise((resolve, reject) => {
    const [ours, face] = duplexPair();
    let request: ClientRequest | undefined;
    const settle = (finish: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      finish();
    };
    const cut = (): void => {
      request?.destroy();
      face.destroy();
      ours.destroy();
    };
    const failed = (error: Error): void => {
      cut();
      settle(() => {
        reject(error);
      });
    };
    const giveUp = (): void => {
      failed(new Error('the client left'));
    };
    const timer = setTimeout(() => {
      failed(Object.assign(new Error('no answer to the handshake'), { code: 'UND_ERR_HEADERS_TIMEOUT' }));
    }, HANDSHAKE_MS);
    signal.addEventListener('abort', giveUp);
    const answered = (status: number, rawHeaders: readonly string[], socket: Duplex | undefined): void => {
      // Before the proxy can write the answer, which would be to the client as it is.
      if (socket === undefined) cut();
      settle(() => {
        resolve({ status, rawHeaders, socket });
      });
    };
    try {
      request = start(dial, { ours, face, answered, failed });
    } catch (error) {
      failed(error as Error);
    }
    if (signal.aborted) giveUp();
  });
}

interface Dialling {
  /** The end of the pair that the relay reads. */
  readonly ours: Duplex;
  /** The end that the proxy takes for the client's socket. */
  readonly face: Duplex;
  answered(status: number, rawHeaders: readonly string[], socket: Duplex | undefined): void;
  failed(error: Error): void;
}

/** Has the proxy dial. */
function start(dial: UpgradeDial, dialling: Dialling): ClientRequest | undefined {
  const { ours, face } = dialling;
  let request: ClientRequest | undefined;
  const proxy = httpProxy.createProxyServer();
  proxy.on('error', (error) => {
    dialling.failed(error);
  });
  proxy.on('proxyReqWs', (sent) => {
    request = sent;
    sent.once('upgrade', ({ statusCode, rawHeaders }, socket) => {
      closeBehind(ours, socket);
      takeHead(ours, () => {
        dialling.answered(statusCode ?? 0, rawHeaders, ours);
      });
    });
    sent.once('response', ({ statusCode, rawHeaders }) => {
      dialling.answered(statusCode ?? 0, rawHeaders, undefined);
    });
  });
  proxy.ws(proxiedRequest(dial), socketLike(face), Buffer.alloc(0), proxyOptions(dial));
  return request;
}

/** All that the proxy reads of a request. */
function proxiedRequest({ connection, target, headers }: UpgradeDial): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = new URL(connection.url).pathname.replace(/\/$/, '') + target;
  const all: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const known = all[name];
    all[name] = known === undefined ? value : [known, value].flat();
  }
  request.headers = all;
  return request;
}

function proxyOptions({ connection }: UpgradeDial): httpProxy.ServerOptions {
  return {
    target: new URL(new URL(connection.url).origin),
    changeOrigin: true,
    // The path is sent as it was judged.
    toProxy: true,
    secure: true,
    ssl: { minVersion: 'TLSv1.2' },
    ...(connection.ca === undefined ? {} : { ca: readFileSync(connection.ca, 'utf8') }),
  };
}

/** What the proxy asks of a socket besides a stream: settings that a pair in memory has no use for. */
function socketLike(face: Duplex): Duplex {
  const same = (): Duplex => face;
  const destroySoon = (): void => {
    if (!face.writableEnded) face.end();
    if (face.writableFinished) face.destroy();
    else face.once('finish', () => face.destroy());
  };
  return Object.assign(face, { setTimeout: same, setNoDelay: same, setKeepAlive: same, destroySoon });
}

/** Takes the head of the 101 off, which was read already; what follows stays. */
function takeHead(ours: Duplex, done: () => void): void {
  let head = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let part = ours.read() as Buffer | null; part !== null; part = ours.read() as Buffer | null) {
      head = Buffer.concat([head, part]);
      const end = head.indexOf(HEAD_END);
      if (end < 0) continue;
      ours.off('readable', onReadable);
      const rest = head.subarray(end + HEAD_END.length);
      if (rest.length > 0) ours.unshift(rest);
      done();
      return;
    }
  };
  ours.on('readable', onReadable);
}

/** The proxy only half closes the upstream's socket: one whose peer never answers that would stay. */
function closeBehind(ours: Duplex, upstream: Duplex): void {
  ours.once('close', () => {
    if (upstream.destroyed) return;
    upstream.end();
    const timer = setTimeout(() => upstream.destroy(), LINGER_MS);
    upstream.once('close', () => {
      clearTimeout(timer);
    });
  });
}
