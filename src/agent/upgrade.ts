import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type AccessLookup, connectionFor, isHttpPermitted } from '../connections/access.js';
import { HoopError, messageOf } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import type { ConnectionResource } from '../core/resources.js';
import { acceptTunnel } from '../tunnel/accept.js';
import type { TunnelStream } from '../tunnel/stream.js';
import { MAX_MESSAGE_BYTES } from '../tunnel/websocket-link.js';
import { refuseSocket } from './http/answer.js';
import type { AgentLog } from './log.js';
import { type LoginLimit, TooManyLogins } from './login-limit.js';
import type { Caller } from './session-host.js';

export interface UpgradeOptions {
  authenticate(request: IncomingMessage): Promise<Identity>;
  connections(): readonly ConnectionResource[];
  /** Until when connections that need an approved request are granted to someone. */
  access(identity: Identity): AccessLookup;
  /** Bounds asking for connections that are not the caller's. */
  readonly logins: LoginLimit;
  /** Takes one stream of a tunnel that was authenticated and authorised. */
  accept(stream: TunnelStream, caller: Caller): void;
  readonly log: Pick<AgentLog, 'warn'>;
}

const TUNNEL_PATH = /^\/v1\/tunnel\/([^/?]+)$/;
/** Longest correlation id and reason taken, in characters. */
const MAX_HEADER_CHARS = 500;

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
          const server = acceptTunnel(websocket, () => this.#open.delete(close));
          const close = (): void => {
            server.close({ code: 'unreachable', message: 'the agent is shutting down' });
          };
          this.#open.add(close);
          const caller = called((event) => {
            server.sendEvent(event);
          });
          // A token that ends does not end sessions under way: whoever is in was let in rightly; no new stream after it.
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
    const permitted = logins.subject(identity, () =>
      connectionFor(this.options.connections(), asked, identity, this.options.access(identity)),
    );
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
