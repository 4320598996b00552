import type { Server, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { HoopError, messageOf } from '../../core/errors.js';
import { bridge } from '../../tunnel/bridge.js';
import { farewellFor, type RefusalReason } from './farewell.js';
import { createQuietServer, type LocalAddress } from './local-listener.js';
import type { PeerCheck } from './peer.js';
import { relayCancel } from './postgres-cancel.js';
import { requirePostgresPassword, WrongPassword } from './postgres-password.js';
import { negotiateTls } from './postgres-tls.js';
import type { ScramVerifier } from './scram-verifier.js';
import { ClientLeft } from './socket-reader.js';
import { steadyStream } from './steady-stream.js';
import type { ConnectionEvent, TunnelKeeper } from '../tunnels/tunnel-keeper.js';

export interface ForwardOptions {
  readonly connection: string;
  /** The connection's type: clients of the protocols known here are told in them why they are ended. */
  readonly type: string;
  /** Makes the server listen, e.g. `listenOnPort`. */
  readonly listen: (server: Server) => Promise<LocalAddress>;
  /** Left out for socket files, whose mode is the check, and where a secret is enough. */
  readonly checkPeer?: PeerCheck;
  /** What Postgres clients must know. */
  readonly password?: ScramVerifier;
  /** Offers TLS to Postgres clients that ask for it; the others are served as before. */
  readonly tls?: SecureContext;
  readonly keeper: Pick<TunnelKeeper, 'ready' | 'close' | 'leaving'>;
  readonly onEvent: (event: ConnectionEvent) => void;
}

/** In bytes. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** An open local port of one connection. */
export interface Forward {
  readonly connection: string;
  readonly address: LocalAddress;
  /** What local programs have sent and received through it so far. */
  traffic(): Traffic;
  /** Ends the port, every local connection and the tunnel. */
  close(): Promise<void>;
}

/**
 * Opens a local port whose connections each become a stream of the connection's tunnel. Of a local
 * connection nothing is read before its owner is known to be this user. The port outlives the
 * tunnel: new connections wait for the next one, running ones are ended.
 *
 * @throws HoopError port_taken and whatever `listen` throws
 */
export async function openForward(options: ForwardOptions): Promise<Forward> {
  const server = createQuietServer();
  const sockets = new Set<Socket>();
  let ended: Traffic = { sent: 0, received: 0 };
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => {
      // Wrapped in TLS since, its bytes are counted there.
      if (sockets.delete(socket)) ended = sum(ended, socket);
    });
    // A reset while it waits: `close` follows and is all that matters.
    socket.on('error', () => undefined);
  };
  server.on('connection', (accepted) => {
    track(accepted);
    void admit(accepted, options, (secured) => {
      // Ended through its TLS, so that what was said last still gets out.
      sockets.delete(accepted);
      track(secured);
    });
  });
  const address = await options.listen(server);
  server.on('error', (error) => {
    options.onEvent({ event: 'refused', connection: options.connection, why: messageOf(error) });
  });
  return {
    connection: options.connection,
    address,
    traffic: () => [...sockets].reduce(sum, ended),
    close: async () => {
      const closed = new Promise<void>((resolve) =>
        server.close(() => {
          resolve();
        }),
      );
      options.keeper.close();
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

function sum(total: Traffic, socket: Socket): Traffic {
  return { sent: total.sent + socket.bytesRead, received: total.received + socket.bytesWritten };
}

async function admit(accepted: Socket, options: ForwardOptions, onSecured: (secured: Socket) => void): Promise<void> {
  let socket = accepted;
  const farewell = farewellFor(options.type);
  const refuse = (reason: RefusalReason, why: string, message: string): void => {
    options.onEvent({ event: 'refused', connection: options.connection, why });
    if (!socket.destroyed) farewell.refuse(socket, reason, message);
  };
  try {
    const verdict = (await options.checkPeer?.(socket)) ?? { admitted: true };
    if (!verdict.admitted) {
      refuse('stranger', verdict.why, `this port serves only the user who opened it: ${verdict.why}`);
      return;
    }
    if (options.tls !== undefined && options.type === 'postgres') socket = await negotiateTls(accepted, options.tls);
    if (socket !== accepted) onSecured(socket);
    if (options.password !== undefined) await requirePostgresPassword(socket, options.password);
    const { leaving } = options.keeper;
    if (options.type === 'postgres' && leaving.length > 0 && (await relayCancel(socket, leaving))) return;
    const tunnel = await options.keeper.ready();
    if (socket.destroyed) return;
    const stream = steadyStream(tunnel.openStream(), {
      reopen: async () => (await options.keeper.ready()).openStream(),
      mayRepeat: farewell.mayRepeat,
    });
    bridge(socket, farewell.through(stream), farewell.cut);
    socket.resume();
  } catch (error) {
    // No news, and nobody to tell.
    if (error instanceof ClientLeft) return;
    refuse(error instanceof WrongPassword ? 'password' : 'unreachable', messageOf(error), sayWhy(error));
  }
}

function sayWhy(error: unknown): string {
  return error instanceof HoopError ? `${error.message}; ${error.suggestion}` : 'the hoop agent is not reachable';
}
