import type { Socket } from 'node:net';
import type { Fault } from '../core/errors.js';
import { errorMessage } from '../protocols/postgres/messages.js';
import { SQLSTATE } from '../protocols/postgres/refusal.js';
import type { TunnelStream } from '../tunnel/stream.js';
import { PostgresBoundary } from './postgres-boundary.js';

/** How long a refused local client may take to read its error, in ms. */
const FAREWELL_TIMEOUT_MS = 2_000;

function fatalError(sqlstate: string, message: string): Uint8Array {
  return errorMessage({ severity: 'FATAL', code: sqlstate, message });
}

/** Tells a local Postgres client, to which nothing was relayed yet, why its connection ends; then ends it. */
export function refusePostgresClient(socket: Socket, sqlstate: string, message: string): void {
  const deadline = setTimeout(() => socket.destroy(), FAREWELL_TIMEOUT_MS);
  socket.on('close', () => {
    clearTimeout(deadline);
  });
  socket.end(fatalError(sqlstate, message));
  // Unread bytes would turn the close into a reset, and the client would never see the error.
  socket.resume();
}

/**
 * The same stream, except that a Postgres client hears of a tunnel that broke: between two messages
 * it gets a FATAL `08006` before the end. Inside a message nothing is added; the connection just ends.
 * Faults that the agent itself sent for the session pass as they are: it has told the client already.
 */
export function withPostgresFarewell(stream: TunnelStream): TunnelStream {
  const boundary = new PostgresBoundary();
  let dataListener: ((bytes: Uint8Array) => void) | undefined;
  let ended = false;
  return {
    write: (bytes) => stream.write(bytes),
    onData: (listener) => {
      dataListener = listener;
      stream.onData((bytes) => {
        boundary.push(bytes);
        listener(bytes);
      });
    },
    onDrain: (listener) => {
      stream.onDrain(listener);
    },
    onEnd: (listener) => {
      stream.onEnd(() => {
        ended = true;
        listener();
      });
    },
    onClose: (listener) => {
      stream.onClose((fault) => {
        if (isTunnelLoss(fault) && boundary.atBoundary && !ended) {
          dataListener?.(fatalError(SQLSTATE.connectionFailure, 'connection to the hoop agent was lost'));
        }
        listener(fault);
      });
    },
    pause: () => {
      stream.pause();
    },
    resume: () => {
      stream.resume();
    },
    end: () => {
      stream.end();
    },
    destroy: (fault) => {
      stream.destroy(fault);
    },
  };
}

function isTunnelLoss(fault: Fault | undefined): boolean {
  return fault?.code === 'unreachable';
}
