import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectionFor, findPermitted, isHttpPermitted, storedName } from '../connections/access.js';
import { HoopError, type Fault, messageOf } from '../core/errors.js';
import type { Identity } from '../core/identity.js';
import { acceptTunnel, type TunnelServer } from '../tunnel/accept.js';
import { RESUME_HEADER, RESUME_VERSION, RETIRING_EVENT, TOKEN_ENDING_EVENT } from '../tunnel/handshake.js';
import { HeldStreams } from '../tunnel/held-streams.js';
import type { AcceptedStream } from '../tunnel/stream.js';
import { MAX_MESSAGE_BYTES } from '../tunnel/websocket-link.js';
import type { Reach } from './callers/current-caller.js';
import { refuseSocket } from './http/answer.js';
import type { AddressOf } from './http/client-address.js';
import { MAX_REASON_LENGTH } from './http/request-fields.js';
import type { AgentLog } from './log.js';
import { type LoginLimit, TooManyLogins } from './callers/login-limit.js';
import { traceOf } from './fronts/http/correlation.js';
import { credentialName, type Caller } from './sessions/session-host.js';
import { tokenLeftMs } from './callers/token-left.js';
import type { TokenWatches } from './callers/token-watches.js';
import type { Tracing } from './tracing/open-tracing.js';
import { TunnelFigures } from './tunnel-figures.js';

export interface UpgradeOptions extends Reach {
  authenticate(request: IncomingMessage): Promise<Identity>;
  /** Bounds asking for connections that are not the caller's. */
  readonly logins: LoginLimit;
  readonly addressOf: AddressOf;
  /** Takes one stream of a tunnel that was authenticated and authorised. */
  accept(stream: AcceptedStream, caller: Caller): void;
  /**
   * The same of a tunnel that takes nothing new, for the reason given: the agent drains, or the token has ended. What runs
   * may still be cancelled.
   */
  acceptLate(stream: AcceptedStream, caller: Caller, why: Fault): void;
  readonly log: Pick<AgentLog, 'warn'>;
  /** Tokens by which tunnels are open. */
  readonly watches: TokenWatches;
  /** Where figures of tunnels are told. */
  readonly registry: Registry;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

const TUNNEL_PATH = /^\/v1\/tunnel\/([^/?]+)$/;
/** Longest correlation id taken, in characters. */
const MAX_CORRELATION_LENGTH = 500;

/** Accepts tunnels: token, identity, connection, credential, in this order; then streams. */
export class TunnelAcceptor {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    skipUTF8Validation: true,
  });
  readonly #open = new Set<TunnelServer>();
  readonly #held = new HeldStreams();
  readonly #figures: TunnelFigures;
  /** The agent takes nothing new: it drains. */
  #retired = false;

  constructor(private readonly options: UpgradeOptions) {
    this.#figures = new TunnelFigures(options.registry, this.#held);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const cameMs = performance.now();
    this.#authorise(request).then(
      (caller) => {
        this.options.tracing?.tunnel(caller.trace, cameMs);
        if (socket.destroyed) return;
        if (this.#retired) {
          refuseSocket(socket, HoopError.fromFault(RETIRED));
          return;
        }
        this.#server.handleUpgrade(request, socket, head, (websocket) => {
          this.#accepted(websocket, request, caller);
        });
      },
      (error: unknown) => {
        if (!(error instanceof HoopError || error instanceof TooManyLogins))
          this.options.log.warn(`tunnel refused: ${messageOf(error)}`);
        refuseSocket(socket, error);
      },
    );
  }

  /** Takes nothing new, and tells every CLI to dial elsewhere for it; what runs goes on. */
  retire(): void {
    this.#retired = true;
    for (const server of this.#open) server.sendEvent({ event: RETIRING_EVENT });
  }

  /** Ends every tunnel. */
  closeAll(): void {
    for (const server of [...this.#open]) server.close(RETIRED);
    this.#held.close();
  }

  #accepted(websocket: WebSocket, request: IncomingMessage, accepted: Caller): void {
    const resumes = request.headers[RESUME_HEADER] === RESUME_VERSION;
    let caller = accepted;
    let stopWatching = (): void => undefined;
    const ended = this.#figures.opened(request.socket, () => server.streamCount);
    const server: TunnelServer = acceptTunnel(websocket, {
      wire: request.socket,
      onClose: (fault) => {
        ended(fault !== undefined);
        stopWatching();
        this.#open.delete(server);
      },
      ...(resumes ? { held: { streams: this.#held, owner: ownerOf(caller) } } : {}),
    });
    this.#open.add(server);
    const stops = [
      this.#watch(request, caller, server, (identity) => (caller = { ...caller, identity })),
      announceEnd(caller.identity, server),
    ];
    stopWatching = () => {
      for (const stop of stops) stop();
    };
    server.onStream((stream) => {
      this.#takeStream(stream, caller);
    });
  }

  /** A tunnel ends, with all its sessions, when its token does not count any more, or its caller is in other groups. */
  #watch(
    request: IncomingMessage,
    caller: Caller,
    server: TunnelServer,
    onGood: (identity: Identity) => void,
  ): () => void {
    return this.options.watches.watch({
      identity: caller.identity,
      again: () => this.options.authenticate(request),
      onGood: (fresh) => {
        if (this.#stillReaches(caller, fresh)) onGood(fresh);
        else server.close({ code: 'no_access', message: 'the caller of this tunnel is in other groups by now' });
      },
      onRefused: () => {
        server.close({ code: 'token_refused', message: 'the token of this tunnel was revoked' });
      },
    });
  }

  /** What the configuration alone takes away, `access-guard` ends by a word of the protocol's own. */
  #stillReaches(caller: Caller, fresh: Identity): boolean {
    if (JSON.stringify(fresh.groups) === JSON.stringify(caller.identity.groups)) return true;
    const found = findPermitted(this.options.connections(), caller.connection.name, fresh);
    return found !== undefined && storedName(found) === credentialName(caller);
  }

  /** A token that ends does not end sessions under way: whoever is in was let in rightly; nothing new begins after it. */
  #takeStream(stream: AcceptedStream, caller: Caller): void {
    const ended = tokenLeftMs(caller.identity) < 0;
    if (this.#retired || ended) {
      this.options.acceptLate(stream, caller, this.#retired ? RETIRED : TOKEN_ENDED);
      return;
    }
    const tell: Caller['tell'] = (event) => {
      stream.sendEvent(event);
    };
    this.#figures.streamOpened();
    this.options.accept(stream, { ...caller, tell });
  }

  async #authorise(request: IncomingMessage): Promise<Caller> {
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
      correlationId: textOf(request, 'x-hoop-correlation-id', {
        is: 'the correlation id',
        longest: MAX_CORRELATION_LENGTH,
      }),
      trace: traceOf(request),
      reason: textOf(request, 'x-hoop-reason', { is: 'the reason', longest: MAX_REASON_LENGTH }),
      address: this.options.addressOf(request),
    };
    const portKeyHash = header(request, 'x-hoop-port-key');
    const shared = { ...common, tell: () => undefined };
    if (!isHttpPermitted(permitted)) return { ...shared, ...permitted };
    return { ...shared, ...permitted, ...(portKeyHash === '' ? {} : { portKeyHash }) };
  }
}

/** Of a token that has ended: the CLI takes what is new to its next tunnel, which has a fresh one. */
const TOKEN_ENDED: Fault = { code: 'unreachable', message: 'the token of this tunnel has ended' };

/** A timer's longest, in ms; a tunnel does not last that long. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Tells the CLI when the token of its tunnel ends: it is due a fresh one then. */
function announceEnd({ expiresAt }: Identity, server: TunnelServer): () => void {
  // A laptop whose clock is behind may come back with the same token: not more than once in this time.
  const inMs = Math.max(expiresAt * 1000 - Date.now(), SHORTEST_TOKEN_MS);
  const timer = setTimeout(
    () => {
      server.sendEvent({ event: TOKEN_ENDING_EVENT });
    },
    Math.min(inMs, MAX_TIMER_MS),
  ).unref();
  return () => {
    clearTimeout(timer);
  };
}

const SHORTEST_TOKEN_MS = 1_000;

const RETIRED: Fault = { code: 'unreachable', message: 'the agent is shutting down' };

/** Who may take up a stream of this caller's that holds: the same person, to the same connection with the same rights. */
function ownerOf(caller: Caller): string {
  const { identity, connection } = caller;
  const portKeyHash = 'portKeyHash' in caller ? caller.portKeyHash : undefined;
  return JSON.stringify([
    identity.issuer,
    identity.subject,
    connection.name,
    credentialName(caller),
    portKeyHash ?? '',
  ]);
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? decode(value) : '';
}

/** A text that goes into the record: cut, it would be another, and nobody would know. `longest` is in characters. */
function textOf(request: IncomingMessage, name: string, { is, longest }: { is: string; longest: number }): string {
  const text = header(request, name);
  if (text.length <= longest) return text;
  throw new HoopError('usage', `${is} is longer than ${String(longest)} characters`, {
    why: `it has ${String(text.length)}`,
    suggestion: 'make it shorter',
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HoopError('usage', 'expected percent-encoded text');
  }
}
