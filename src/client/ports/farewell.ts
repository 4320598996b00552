import type { Socket } from 'node:net';
import { HTTP_TYPES } from '../../core/resources.js';
import { SQLSTATE } from '../../protocols/postgres/refusal.js';
import type { TunnelStream } from '../../tunnel/stream.js';
import { cutHttpClient, isRepeatableRequest, refuseHttpClient } from './http-farewell.js';
import { isRepeatableOpening, refusePostgresClient, withPostgresFarewell } from './postgres-farewell.js';

/** Another user's program, one that does not know the port's secret, or no tunnel to be had. */
export type RefusalReason = 'stranger' | 'password' | 'unreachable';

/** How local clients of one protocol hear why they are not served, or not served on. */
export interface Farewell {
  /** Ends a client to which nothing was relayed yet. */
  refuse(socket: Socket, reason: RefusalReason, message: string): void;
  /** The stream as it is joined to the client. */
  through(stream: TunnelStream): TunnelStream;
  /** May what a client has sent, to which nothing was answered, be sent once more on another tunnel? */
  readonly mayRepeat: (sent: Uint8Array) => boolean;
  /** Ends a client whose stream broke off. */
  readonly cut: (socket: Socket) => void;
}

const POSTGRES_CODES = {
  stranger: SQLSTATE.invalidAuthorization,
  password: SQLSTATE.invalidPassword,
  unreachable: SQLSTATE.connectionFailure,
} as const;

const postgres: Farewell = {
  refuse: (socket, reason, message) => {
    refusePostgresClient(socket, POSTGRES_CODES[reason], message);
  },
  through: withPostgresFarewell,
  mayRepeat: isRepeatableOpening,
  cut: (socket) => {
    socket.destroySoon();
  },
};

const http: Farewell = {
  refuse: (socket, reason, message) => {
    if (reason !== 'unreachable') refuseHttpClient(socket, 403, 'hoop_unauthorized', message);
    else refuseHttpClient(socket, 503, 'hoop_unreachable', message);
  },
  through: (stream) => stream,
  mayRepeat: isRepeatableRequest,
  cut: cutHttpClient,
};

/** A protocol that this side does not speak: the connection just ends. */
const silent: Farewell = {
  refuse: (socket) => {
    socket.destroy();
  },
  through: (stream) => stream,
  mayRepeat: (sent) => sent.length === 0,
  cut: (socket) => {
    socket.destroySoon();
  },
};

/** @param type a connection's */
export function farewellFor(type: string): Farewell {
  if (type === 'postgres') return postgres;
  return (HTTP_TYPES as readonly string[]).includes(type) ? http : silent;
}
