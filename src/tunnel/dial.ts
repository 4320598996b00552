import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type ClientOptions } from 'ws';
import { HoopError, type ErrorCode, ERRORS, type Fault } from '../core/errors.js';
import { formatTraceparent, type TraceContext } from '../core/trace-context.js';
import { noAnswer } from '../network/no-answer.js';
import { openWire } from '../network/open-wire.js';
import { RESUME_HEADER, RESUME_VERSION } from './handshake.js';
import type { MuxStream } from './mux-stream.js';
import { MAX_MESSAGE_BYTES, muxOverWebSocket } from './websocket-link.js';
import type { TunnelStream } from './stream.js';

export interface DialOptions {
  /** `https://agent.example.com`, `http://127.0.0.1:8443` */
  readonly agentUrl: string;
  readonly connection: string;
  readonly token: string;
  /** A PEM file trusted besides the usual roots. */
  readonly caFile?: string;
  readonly correlationId?: string;
  readonly reason?: string;
  /** The caller's place in a trace (W3C Trace Context). */
  readonly trace?: TraceContext;
  /** Hex SHA-256 of the key that the port's clients show: the agent lets nothing else in. */
  readonly portKeyHash?: string;
  /** Whoever dials takes up streams that hold on the next tunnel. */
  readonly resumes?: boolean;
  /** Where the proxy is named; this process's own environment where left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Tests make the watch for a dead peer faster. */
  readonly tickMs?: number;
}

/** A stream that held when its tunnel broke. */
export type DetachedStream = Pick<MuxStream, 'isClosed' | 'lost'>;

/** The CLI's end of one tunnel. */
export interface TunnelClient {
  openStream(): TunnelStream;
  onEvent(listener: (event: Readonly<Record<string, unknown>>) => void): void;
  /** Called after `onDetached`. */
  onClose(listener: (fault?: Fault) => void): void;
  /** Takes each stream that held when the tunnel broke: it waits for `resume` on another tunnel. */
  onDetached(listener: (stream: DetachedStream) => void): void;
  /** Goes on with a stream that held on a tunnel before; one that was given up meanwhile is ended at the agent. */
  resume(stream: DetachedStream): void;
  /** Asks the agent for a sign of life now: after a sleep, or when the network has changed. */
  readonly probe: () => void;
  /** Closes it once no stream is left on it; open none from here on. */
  closeWhenIdle(): void;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** @throws HoopError unreachable, token_refused, no_access, or what the agent answered */
export async function dialTunnel(options: DialOptions): Promise<TunnelClient> {
  const { agentUrl, caFile, env, resumes = false, tickMs } = options;
  const url = new URL(`/v1/tunnel/${encodeURIComponent(options.connection)}`, agentUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const wire = await openWire(url, {
    caFile,
    timeoutMs: CONNECT_TIMEOUT_MS,
    ...(env === undefined ? {} : { env }),
  }).catch((error: unknown) => {
    throw unreachable(agentUrl, error);
  });
  const socket = new WebSocket(url, settings(wire, headersOf(options)));
  let closeListener: ((fault?: Fault) => void) | undefined;
  let closedWith: { fault: Fault | undefined } | undefined;
  await opened(socket, agentUrl);
  const { mux, probe } = muxOverWebSocket(socket, 'opener', {
    wire,
    resumption: resumes || undefined,
    tickMs,
    onClose: (fault) => {
      closedWith = { fault };
      closeListener?.(fault);
    },
  });
  return {
    openStream: () => mux.openStream(),
    onEvent: (listener) => {
      mux.onEvent(listener);
    },
    onDetached: (listener) => {
      mux.onDetached(listener);
    },
    onClose: (listener) => {
      closeListener = listener;
      if (closedWith !== undefined) listener(closedWith.fault);
    },
    resume: (stream) => {
      mux.resume(stream as MuxStream);
    },
    probe,
    closeWhenIdle: () => {
      mux.closeWhenIdle();
    },
    close: () => {
      mux.close();
    },
  };
}

function headersOf(options: DialOptions): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${options.token}` };
  if (options.correlationId !== undefined) headers['x-hoop-correlation-id'] = encodeURIComponent(options.correlationId);
  if (options.trace !== undefined) headers['traceparent'] = formatTraceparent(options.trace);
  if (options.reason !== undefined) headers['x-hoop-reason'] = encodeURIComponent(options.reason);
  if (options.portKeyHash !== undefined) headers['x-hoop-port-key'] = options.portKeyHash;
  if (options.resumes === true) headers[RESUME_HEADER] = RESUME_VERSION;
  return headers;
}

function settings(wire: Socket, headers: Record<string, string>): ClientOptions {
  return {
    headers,
    createConnection: () => wire,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    followRedirects: false,
    // The bytes are the user's own and stay on this machine or under TLS; UTF-8 does not apply to binary.
    skipUTF8Validation: true,
  };
}

function unreachable(agentUrl: string, error: unknown): HoopError {
  return noAnswer(`agent at ${agentUrl} not reachable`, agentUrl, error);
}

function opened(socket: WebSocket, agentUrl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.removeAllListeners();
      resolve();
    });
    socket.once('error', (error) => {
      reject(unreachable(agentUrl, error));
    });
    socket.once('unexpected-response', (request, response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => {
        if (parts.length < 16) parts.push(part);
      });
      response.on('end', () => {
        request.destroy();
        reject(refusal(response.statusCode ?? 0, Buffer.concat(parts).toString('utf8')));
      });
      response.on('error', reject);
    });
  });
}

/** The agent answers an upgrade that it refuses with its usual error body. */
function refusal(status: number, body: string): HoopError {
  try {
    const { error } = JSON.parse(body) as {
      error: { code: string; message: string; why?: string; suggestion?: string };
    };
    if (Object.hasOwn(ERRORS, error.code)) {
      return new HoopError(
        error.code as ErrorCode,
        error.message,
        error.suggestion === undefined ? {} : { suggestion: error.suggestion },
      );
    }
  } catch {
    // Not the agent's own body, e.g. a proxy's page: the status has to do.
  }
  const code: ErrorCode = status === 401 ? 'token_refused' : status === 403 ? 'no_access' : 'unreachable';
  return new HoopError(code, `the agent refused the tunnel with HTTP ${String(status)}`);
}
