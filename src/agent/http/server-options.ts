import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoginLimit } from '../callers/login-limit.js';
import type { TokenWatches } from '../callers/token-watches.js';
import type { AddressOf } from './client-address.js';
import type { HttpDependencies } from './dependencies.js';
import type { Authenticate } from './token.js';

export interface HttpServerOptions {
  /** PEM; plain HTTP where absent. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly listen: { readonly host: string; readonly port: number };
  readonly publicUrl?: string | undefined;
  /** Sockets open at once, tunnels included; one more is closed unread. */
  readonly maxConnections: number;
  /** Of them, those that have asked for nothing: one more, and the oldest is closed. */
  readonly maxHalfOpen: number;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly deps: HttpDependencies;
  /** Bounds what refused tokens may cost. */
  readonly logins: LoginLimit;
  readonly addressOf: AddressOf;
  /**
   * A WebSocket upgrade that passed the gate, not authenticated yet. The callee owns the socket and
   * refuses with `refuseSocket`.
   */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly direct: DirectWay;
  /** Tokens by which long answers are read. */
  readonly watches: TokenWatches;
}

/** Takes what comes to `/c/CONNECTION/…`; its host and origin are right, and it is not authenticated yet. */
export interface DirectWay {
  direct(request: IncomingMessage, response: ServerResponse, authenticate: Authenticate): unknown;
  directUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, authenticate: Authenticate): unknown;
}

export interface HttpTimeouts {
  /** From the first moment of a connection or request to the end of its headers; the TLS handshake too. */
  readonly headersMs: number;
  /** To the end of its body. */
  readonly requestMs: number;
  /** Between two requests. */
  readonly idleMs: number;
}
