import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { WebSocket, type ClientOptions } from 'ws';
import { HoopError, type ErrorCode, ERRORS, type Fault } from '../core/errors.js';
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
  /** Hex SHA-256 of the key that the port's clients show: the agent lets nothing else in. */
  readonly portKeyHash?: string;
}

/** The CLI's end of one tunnel. */
export interface TunnelClient {
  openStream(): TunnelStream;
  onEvent(listener: (event: Readonly<Record<string, unknown>>) => void): void;
  onClose(listener: (fault?: Fault) => void): void;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** @throws HoopError unreachable, token_refused, no_access, or what the agent answered */
export async function dialTunnel(options: DialOptions): Promise<TunnelClient> {
  const url = new URL(`/v1/tunnel/${encodeURIComponent(options.connection)}`, options.agentUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const headers: Record<string, string> = { authorization: `Bearer ${options.token}` };
  if (options.correlationId !== undefined) headers['x-hoop-correlation-id'] = encodeURIComponent(options.correlationId);
  if (options.reason !== undefined) headers['x-hoop-reason'] = encodeURIComponent(options.reason);
  if (options.portKeyHash !== undefined) headers['x-hoop-port-key'] = options.portKeyHash;
  const settings: ClientOptions = {
    headers,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    followRedirects: false,
    // The bytes are the user's own and stay on this machine or under TLS; UTF-8 does not apply to binary.
    skipUTF8Validation: true,
  };
  if (options.caFile !== undefined) settings.ca = [...rootCertificates, readFileSync(options.caFile, 'utf8')];
  const socket = new WebSocket(url, settings);
  let closeListener: ((fault?: Fault) => void) | undefined;
  let closedWith: { fault: Fault | undefined } | undefined;
  await opened(socket, options.agentUrl);
  const mux = muxOverWebSocket(socket, 'opener', (fault) => {
    closedWith = { fault };
    closeListener?.(fault);
  });
  return {
    openStream: () => mux.openStream(),
    onEvent: (listener) => {
      mux.onEvent(listener);
    },
    onClose: (listener) => {
      closeListener = listener;
      if (closedWith !== undefined) listener(closedWith.fault);
    },
    close: () => {
      mux.close();
    },
  };
}

function opened(socket: WebSocket, agentUrl: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.removeAllListeners();
      resolve();
    });
    socket.once('error', (error) => {
      reject(new HoopError('unreachable', `agent at ${agentUrl} not reachable`, { why: error.message, cause: error }));
    });
    socket.once('unexpected-response', (request, response) => {
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
