import type { WebSocket } from 'ws';
import type { Fault } from '../core/errors.js';
import type { TunnelStream } from './stream.js';
import { muxOverWebSocket } from './websocket-link.js';

/** The agent's end of one tunnel. */
export interface TunnelServer {
  onStream(listener: (stream: TunnelStream) => void): void;
  /** News for the CLI, e.g. `{ event: 'approval.waiting', … }`. */
  sendEvent(event: Readonly<Record<string, unknown>>): void;
  /** Ends all streams and the WebSocket. */
  close(fault?: Fault): void;
}

/** Takes over an upgraded WebSocket; the caller has authenticated and authorised it. */
export function acceptTunnel(socket: WebSocket, onClose: (fault?: Fault) => void): TunnelServer {
  return muxOverWebSocket(socket, 'acceptor', onClose);
}
