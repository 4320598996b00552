import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { connectionFor, isHttpPermitted } from '../connections/access.js';
import { HoopError, messageOf } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { ConnectionResource } from '../core/resources.js';
import { acceptTunnel, type TunnelServer } from '../tunnel/accept.js';
import type { TunnelStream } from '../tunnel/stream.js';
import { MAX_MESSAGE_BYTES } from '../tunnel/websocket-link.js';
import { refuseSocket } from './http/answer.js';
import type { AgentLog } from './log.js';
import { type LoginLimit, TooManyLogins } from './login-limit.js';
import type { Caller } from './session-host.js';

export interface UpgradeOptions {
  authenticate(request: IncomingMessage): Promise<Identity>;
  connections(): readonly ConnectionResource[];
  /** Bounds asking for connections that are not the caller's. */
  readonly logins: LoginLimit;
  /** Takes one stream of a tunnel that was authenticated and authorised. */
  accept(stream: TunnelStream, caller: Caller): void;
  readonly log: Pick<AgentLog, 'warn'>;
  /** How often a tunnel's token is asked about again, where that tells more than its signature. */
  readonly recheckMs?: number;
}

const TUNNEL_PATH = /^\/v1\/tunnel\/([^/?]+)$/;
/** Longest correlation id and reason taken, in characters. */
const MAX_HEADER_CHARS = 500;
/** With the minute's half that an answer is believed for, a revocation counts within a minute. */
const RECHECK_MS = 20_000;

/** Accepts tunnels: token, identity, connection, credential, in this order; then streams. */
export class TunnelAcceptor {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    skipUTF8Validation: true,
  });
  readonly #open = new Set<() => void>();

  constructor(private readonly options: UpgradeOptions) {}

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#authorise(request).then(
      ({ called }) => {
        if (socket.destroyed) return;
        this.#server.handleUpgrade(request, socket, head, (websocket) => {
          let stopAsking = (): void => undefined;
          const server = acceptTunnel(websocket, () => {
            stopAsking();
            this.#open.delete(close);
          });
          const close = (): void => {
            server.close({ code: 'unreachable', message: 'the agent is shutting down' });
          };
          this.#open.add(close);
          const caller = called((event) => {
            server.sendEvent(event);
          });
          // A token that ends does not end sessions under way: whoever is in was let in rightly; no new stream after it.
          stopAsking = this.#keepAsking(request, caller.identity, server);
          server.onStream((stream) => {
            if (caller.identity.expiresAt * 1000 + EXPIRY_LEEWAY_MS < Date.now()) {
              stream.destroy({ code: 'token_refused', message: 'the token of this tunnel has expired' });
              return;
            }
            this.options.accept(stream, caller);
          });
        });
      },
      (error: unknown) => {
        if (!(error instanceof HoopError || error instanceof TooManyLogins))
          this.options.log.warn(`tunnel refused: ${messageOf(error)}`);
        refuseSocket(socket, error);
      },
    );
  }

  /** Where the provider can say that a token was revoked, a tunnel ends within a minute of it, and its sessions too. */
  #keepAsking(request: IncomingMessage, { revocable, expiresAt }: Identity, server: TunnelServer): () => void {
    if (revocable !== true) return () => undefined;
    const timer = setInterval(() => {
      // After its end nobody can say more of it; no new stream is taken then.
      if (expiresAt * 1000 <= Date.now()) return clearInterval(timer);
      this.options.authenticate(request).catch(() => {
        server.close({ code: 'token_refused', message: 'the token of this tunnel was revoked' });
      });
    }, this.options.recheckMs ?? RECHECK_MS).unref();
    return () => {
      clearInterval(timer);
    };
  }

  /** Ends every tunnel. */
  closeAll(): void {
    for (const close of [...this.#open]) close();
  }

  async #authorise(request: IncomingMessage): Promise<{ readonly called: (tell: Tell) => Caller }> {
    const identity = await this.options.authenticate(request);
    const name = TUNNEL_PATH.exec(new URL(request.url ?? '', 'http://agent').pathname)?.[1];
    if (name === undefined) throw new HoopError('not_found', 'no such path');
    const { logins } = this.options;
    const asked = decode(name);
    const permitted = logins.subject(identity, () => connectionFor(this.options.connections(), asked, identity));
    const common = {
      identity,
      correlationId: header(request, 'x-hoop-correlation-id'),
      reason: header(request, 'x-hoop-reason'),
      address: request.socket.remoteAddress ?? '',
    };
    const portKeyHash = header(request, 'x-hoop-port-key');
    return {
      called: (tell) => {
        const shared = { ...common, tell };
        if (!isHttpPermitted(permitted)) return { ...shared, ...permitted };
        return { ...shared, ...permitted, ...(portKeyHash === '' ? {} : { portKeyHash }) };
      },
    };
  }
}

type Tell = Caller['tell'];

/** Clocks differ by as much as tokens are checked with. */
const EXPIRY_LEEWAY_MS = 60_000;

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? decode(value).slice(0, MAX_HEADER_CHARS) : '';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HoopError('usage', 'expected percent-encoded text');
  }
}
