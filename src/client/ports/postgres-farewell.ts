import type { Socket } from 'node:net';
import type { Fault } from '../../core/errors.js';
import { errorMessage } from '../../protocols/postgres/wire/messages.js';
import { SQLSTATE } from '../../protocols/postgres/refusal.js';
import { StartupReader } from '../../protocols/postgres/opening/startup.js';
import type { TunnelStream } from '../../tunnel/stream.js';
import { HELD_LOST } from '../tunnels/detached-streams.js';
import { PostgresBoundary } from './postgres-boundary.js';

/** How long a refused local client may take to read its error, in ms. */
const FAREWELL_TIMEOUT_MS = 2_000;
const LOST = 'connection to the hoop agent was lost';

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
  const progress = new SessionProgress();
  let dataListener: ((bytes: Uint8Array) => void) | undefined;
  return {
    ...passedOn(stream),
    write: (bytes) => {
      progress.sent();
      return stream.write(bytes);
    },
    onData: (listener) => {
      dataListener = listener;
      stream.onData((bytes) => {
        progress.received(bytes);
        listener(bytes);
      });
    },
    onEnd: (listener) => {
      stream.onEnd(() => {
        progress.end();
        listener();
      });
    },
    onClose: (listener) => {
      stream.onClose((fault) => {
        const message = isTunnelLoss(fault) ? progress.farewell(fault?.message) : undefined;
        if (message !== undefined) dataListener?.(fatalError(SQLSTATE.connectionFailure, message));
        listener(fault);
      });
    },
  };
}

function passedOn(stream: TunnelStream): Pick<TunnelStream, 'onDrain' | 'pause' | 'resume' | 'end' | 'destroy'> {
  return {
    onDrain: (listener) => {
      stream.onDrain(listener);
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

/** What of a session a client has seen, as far as its last words depend on it. */
class SessionProgress {
  readonly #boundary = new PostgresBoundary();
  #opened = false;
  #asked = false;
  #ended = false;

  sent(): void {
    this.#asked = true;
  }

  received(bytes: Uint8Array): void {
    this.#boundary.push(bytes);
    if (!this.#boundary.isReady) return;
    this.#opened = true;
    this.#asked = false;
  }

  end(): void {
    this.#ended = true;
  }

  /** One sentence; undefined where nothing may be put in. */
  farewell(why: string | undefined): string | undefined {
    if (!this.#boundary.atBoundary || this.#ended) return undefined;
    if (why === HELD_LOST) return HELD_LOST;
    return this.#opened && this.#asked ? `${LOST} while a statement ran; whether it took effect is not known` : LOST;
  }
}

/**
 * May what a client has sent, to which nothing was answered, be sent once more? Requests for encryption and a start-up
 * message begin a session and run nothing; with a cancel request, or a statement sent before it was asked for, it may not.
 */
export function isRepeatableOpening(sent: Uint8Array): boolean {
  const reader = new StartupReader();
  reader.push(sent);
  for (;;) {
    const step = reader.next();
    if (step.kind === 'reply') continue;
    return step.kind === 'more' || (step.kind === 'start' && step.rest.length === 0);
  }
}

function isTunnelLoss(fault: Fault | undefined): boolean {
  return fault?.code === 'unreachable';
}
