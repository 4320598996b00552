import type { WebSocket } from 'ws';
import type { Fault } from '../core/errors.js';
import type { HeldStreams } from './held-streams.js';
import type { AcceptedStream } from './stream.js';
import { muxOverWebSocket, type Wire } from './websocket-link.js';

/** The agent's end of one tunnel. */
export interface TunnelServer {
  /** Streams open in it now. */
  readonly streamCount: number;
  onStream(listener: (stream: AcceptedStream) => void): void;
  /** News for the CLI, e.g. `{ event: 'tunnel.retiring' }`. */
  sendEvent(event: Readonly<Record<string, unknown>>): void;
  /** Ends all streams and the WebSocket. */
  close(fault?: Fault): void;
}

export interface AcceptOptions {
  readonly onClose: (fault?: Fault) => void;
  readonly wire?: Wire;
  /** Where streams that hold wait for the CLI to come back; left out for a CLI that can't. */
  readonly held?: { readonly streams: HeldStreams; readonly owner: string } | undefined;
  readonly tickMs?: number;
}

/** Takes over an upgraded WebSocket; the caller has authenticated and authorised it. */
export function acceptTunnel(socket: WebSocket, options: AcceptOptions): TunnelServer {
  const { onClose, wire, held, tickMs } = options;
  const resumption = held && held.streams.of(held.owner);
  return muxOverWebSocket(socket, 'acceptor', { onClose, wire, resumption, tickMs }).mux;
}
