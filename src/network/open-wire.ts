import { request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { HoopError } from '../core/errors.js';
import { type Proxy, proxyFor } from './proxy-choice.js';
import { trustWith } from './trust.js';

export interface WireOptions {
  /** A PEM file trusted besides the usual certificates. */
  readonly caFile?: string | undefined;
  /** Where the proxy is named; this process's own where left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** From the first packet to the end of the TLS handshake. */
  readonly timeoutMs: number;
  /** Stops before TLS: who looks for what is broken takes one step after the other. */
  readonly beforeTls?: boolean;
}

/**
 * The way out of this machine: a TCP or TLS connection to the host of an address, through the proxy that the
 * environment names, by CONNECT. Whoever looks on at the proxy sees host and port, and TLS.
 *
 * It rejects with Node's own network errors (`code: 'ECONNREFUSED'`) where the host can't be reached.
 *
 * @throws HoopError unreachable where the proxy refuses, usage for a proxy of another kind, config_invalid
 */
export async function openWire(target: URL, options: WireOptions): Promise<Socket> {
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const context = secure && options.beforeTls !== true ? trustWith(options.caFile) : undefined;
  const proxy = proxyFor(target, options.env ?? process.env);
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = target.port === '' ? (secure ? 443 : 80) : Number(target.port);
  const attempt = new Attempt(options.timeoutMs);
  try {
    const base = proxy === undefined ? undefined : await attempt.run((done) => tunnelled(proxy, host, port, done));
    if (context !== undefined) return await attempt.run((done) => secured({ base, host, port, context }, done));
    return base ?? (await attempt.run((done) => plain(host, port, done)));
  } finally {
    attempt.end();
  }
}

/**
 * `createConnection` of node:http, node:https and ws on `openWire`; leave `agent` out beside it.
 *
 * @param target the address asked, whatever the options say
 */
export function wireFor(target: URL, options: WireOptions) {
  return (_options: unknown, done: (error: Error | null, socket: Socket) => void): undefined => {
    openWire(target, options).then(
      (socket) => {
        done(null, socket);
      },
      (error: unknown) => {
        done(error as Error, undefined as unknown as Socket);
      },
    );
  };
}

type Done = (error: Error | undefined, socket?: Socket) => void;

/** One deadline over all steps; what a step has open when it passes is destroyed. */
class Attempt {
  #fail: ((error: Error) => void) | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.#timer = setTimeout(() => {
      this.#fail?.(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
    }, timeoutMs);
  }

  /** @param step starts, and returns what gives it up */
  run(step: (done: Done) => () => void): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const giveUp = step((error, socket) => {
        this.#fail = undefined;
        if (socket === undefined) reject(error ?? new Error('no connection'));
        else resolve(socket);
      });
      const fail = (error: Error): void => {
        giveUp();
        reject(error);
      };
      this.#fail = fail;
    });
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Calls `done` at the first of both, and takes its own listeners off again. */
function settle(socket: Socket, opened: 'connect' | 'secureConnect', done: Done): () => void {
  const succeeded = (): void => {
    socket.off('error', failed);
    done(undefined, socket);
  };
  const failed = (error: Error): void => {
    socket.destroy();
    done(error);
  };
  socket.once(opened, succeeded).once('error', failed);
  return () => {
    socket
      .off(opened, succeeded)
      .off('error', failed)
      .on('error', () => undefined)
      .destroy();
  };
}

function plain(host: string, port: number, done: Done): () => void {
  return settle(connect({ host, port, noDelay: true }), 'connect', done);
}

interface TlsTarget {
  /** What TLS runs on; undefined: a connection of its own. */
  readonly base: Socket | undefined;
  readonly host: string;
  readonly port: number;
  readonly context: SecureContext;
}

function secured({ base, host, port, context }: TlsTarget, done: Done): () => void {
  const socket = connectTls({
    ...(base === undefined ? { host, port } : { socket: base }),
    // Verified against the host all the same; a server name may be no address (RFC 6066 section 3).
    ...(isIP(host) === 0 ? { servername: host } : { host }),
    secureContext: context,
    ALPNProtocols: ['http/1.1'],
  });
  socket.setNoDelay(true);
  return settle(socket, 'secureConnect', done);
}

/** @see https://www.rfc-editor.org/rfc/rfc9110.html#section-9.3.6 */
function tunnelled(proxy: Proxy, host: string, port: number, done: Done): () => void {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`;
  const asked = request({
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      ...(proxy.authorization === undefined ? {} : { 'proxy-authorization': proxy.authorization }),
    },
    createConnection: (_options, connected) => {
      const opened: Done = (error, socket) => {
        connected(error ?? null, socket as Socket);
      };
      if (proxy.secure) secured({ base: undefined, ...proxy, context: trustWith(undefined) }, opened);
      else plain(proxy.host, proxy.port, opened);
      return undefined;
    },
  });
  asked.once('connect', (response, socket: Socket, head: Buffer) => {
    if (response.statusCode === 200 && head.length === 0) {
      done(undefined, socket);
      return;
    }
    socket.destroy();
    done(refusal(response.statusCode ?? 0));
  });
  asked.on('error', (error) => {
    done(
      new HoopError('unreachable', 'the proxy can not be reached', {
        why: error.message,
        suggestion: 'check HTTPS_PROXY and HTTP_PROXY; NO_PROXY names what is reached without',
        cause: error,
      }),
    );
  });
  asked.end();
  return () => {
    asked.destroy();
  };
}

function refusal(status: number): HoopError {
  if (status === 407) {
    return new HoopError('unreachable', 'the proxy wants a login', {
      why: 'it answered with status 407',
      suggestion: 'put user and password into the address of the proxy: http://USER:PASSWORD@HOST:PORT',
    });
  }
  return new HoopError('unreachable', 'the proxy refused the connection to the agent', {
    why: `it answered with status ${String(status)}`,
    suggestion: 'ask who runs the proxy to let CONNECT through to the agent, or name the agent in NO_PROXY',
  });
}
