import type { Socket } from 'node:net';
import { concatBytes } from '../core/bytes.js';
import type { Fault } from '../core/errors.js';
import type { TunnelStream } from '../tunnel/stream.js';
import { PostgresBoundary } from './postgres-boundary.js';

/** How long a refused local client may take to read its error, in ms. */
const FAREWELL_TIMEOUT_MS = 2_000;

/**
 * A FATAL ErrorResponse: `E`, int32 length, then fields of a code byte and a string, each ended by NUL.
 *
 * @param sqlstate five characters
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function fatalError(sqlstate: string, message: string): Uint8Array {
  const fields = ['SFATAL', 'VFATAL', `C${sqlstate}`, `M${message.replaceAll('\0', '')}`].map((field) => `${field}\0`);
  const body = new TextEncoder().encode(`${fields.join('')}\0`);
  const header = new Uint8Array(5);
  header[0] = 0x45;
  new DataView(header.buffer).setInt32(1, body.length + 4);
  return concatBytes([header, body]);
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
          dataListener?.(fatalError('08006', 'connection to the hoop agent was lost'));
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
