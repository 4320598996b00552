import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { connectionFor, isHttpPermitted } from '../../../connections/access.js';
import { HoopError, messageOf } from '../../../core/errors.js';
import type { Identity } from '../../../core/identity.js';
import type { Dialect, HttpRequest } from '../../../protocols/http/dialect.js';
import { forwardedHeaders } from '../../../protocols/http/headers.js';
import { upstreamAddresses } from '../../../protocols/http/named-addresses.js';
import { readTarget } from '../../../protocols/http/target.js';
import { DIALECTS } from '../../../protocols/registry.js';
import { StreamSocket } from '../../../tunnel/stream-socket.js';
import type { TunnelStream } from '../../../tunnel/stream.js';
import { TooManyLogins } from '../../callers/login-limit.js';
import type { UsageLimits } from '../../usage/usage-limits.js';
import { currentCaller, type Reach } from '../../callers/current-caller.js';
import type { HttpCaller, SessionHost } from '../../sessions/session-host.js';
import { RulesBook } from './connection-rules.js';
import { correlationOf, traceOf } from './correlation.js';
import { CredentialBook } from './credential-book.js';
import { Exchange, type ExchangeParts } from './exchange.js';
import { KeptStream } from './answers/kept-stream.js';
import { guardPort } from './port-guard.js';
import { MAX_HEADER_BYTES, refuseUnparsed } from '../../http/unparsed.js';
import type { TokenWatches } from '../../callers/token-watches.js';
import { ClientAnswer } from './client-answer.js';
import { refusalAtDoor } from './refusals.js';
import { UpgradeAnswer } from './upgrade/upgrade-answer.js';
import { UpgradeExchange } from './upgrade/upgrade-exchange.js';
import { checkHandshake, handshakeHeaders } from './upgrade/upgrade-handshake.js';
import { ignoreUpgrade, isOffer } from './upgrade/upgrade-ignored.js';
import { RequestTurns, type Turn } from './request-turns.js';
import { Upstreams } from './upstream.js';

/** `/c/NAME`, then the path for the upstream. */
const DIRECT = /^\/c\/([^/?#]+)(\/[^]*|\?[^]*)?$/;

export interface HttpFrontOptions extends Reach {
  readonly host: SessionHost;
  readonly usage: UsageLimits;
  /** Tokens by which requests and upgraded streams are under way. */
  readonly watches: TokenWatches;
  /** Of who comes without a tunnel. */
  readonly addressOf: (incoming: IncomingMessage) => string;
  /** Bounds asking for connections that are not the caller's. */
  readonly subject: <Found>(identity: Identity, find: () => Found) => Found;
}

/** Both ways in to connections that speak HTTP: through tunnels, and directly under `/c/`. */
export class HttpFront {
  readonly #server: Server;
  readonly #streams = new WeakMap<object, KeptStream>();
  readonly #upstreams = new Upstreams();
  readonly #turns = new RequestTurns();
  readonly #parts: ExchangeParts;

  constructor(private readonly options: HttpFrontOptions) {
    const { host } = options;
    this.#parts = {
      host,
      rules: new RulesBook(host),
      credentials: new CredentialBook(host.resolveSecret),
      upstreams: this.#upstreams,
      usage: options.usage,
    };
    // Never listens: its connections are streams of tunnels.
    this.#server = createServer(
      {
        insecureHTTPParser: false,
        requireHostHeader: true,
        maxHeaderSize: MAX_HEADER_BYTES,
        requestTimeout: 0,
        keepAliveTimeout: 0,
      },
      (request, response) => {
        this.#fromPort(request, response);
      },
    );
    this.#server.on('upgrade', (request, socket, head) => {
      if (isOffer(request)) void this.#ignoreOffer(request, socket, head);
      else this.#upgradeFromPort(request, socket, head);
    });
    this.#server.on('clientError', refuseUnparsed);
  }

  /** Takes a stream of a tunnel to a connection of an HTTP type. */
  accept(stream: TunnelStream, caller: HttpCaller): void {
    const socket = new StreamSocket(stream);
    this.#streams.set(socket, new KeptStream(caller, socket));
    this.#server.emit('connection', socket);
  }

  /**
   * Takes a request to `/c/NAME/…` of the agent's own port; its host and origin were checked.
   *
   * @param authenticate proves who sent it
   */
  async direct(
    incoming: IncomingMessage,
    response: ServerResponse,
    authenticate: (request: IncomingMessage) => Promise<Identity>,
  ): Promise<void> {
    const turn = this.#turns.enter(incoming, response);
    let dialect = guessedDialect(incoming);
    try {
      const called = await this.#called(incoming, authenticate);
      dialect = DIALECTS[called.caller.connection.type];
      response.once('close', this.#watch(incoming, called, authenticate));
      await this.#exchange(incoming, response, called, turn);
    } catch (error) {
      this.#refuse(incoming, response, dialect, error);
    }
  }

  /** Takes an upgrade to `/c/NAME/…`, as `direct` a request. */
  async directUpgrade(
    incoming: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    authenticate: (request: IncomingMessage) => Promise<Identity>,
  ): Promise<void> {
    const turn = this.#turns.enter(incoming, socket, true);
    let dialect = guessedDialect(incoming);
    try {
      checkHandshake(incoming);
      const called = await this.#called(incoming, authenticate);
      dialect = DIALECTS[called.caller.connection.type];
      socket.once('close', this.#watch(incoming, called, authenticate));
      await this.#upgrade(incoming, socket, head, called, turn);
    } catch (error) {
      await this.#refuseUpgrade(socket, dialect, error, turn);
    }
  }

  /** Ends what is left of the upstreams' sockets. */
  async close(): Promise<void> {
    await this.#upstreams.close();
  }

  #fromPort(incoming: IncomingMessage, response: ServerResponse): void {
    const arrivedMs = this.options.host.monotonicMs();
    const stream = this.#streams.get(incoming.socket);
    const caller = stream?.caller;
    const turn = this.#turns.enter(incoming, response);
    const run = async (): Promise<void> => {
      if (caller === undefined) throw new HoopError('failed', 'a request of nobody');
      stream?.begin(response);
      await this.#exchange(incoming, response, this.#throughPort(incoming, caller, arrivedMs), turn);
    };
    run().catch((error: unknown) => {
      const dialect = caller === undefined ? DIALECTS.http : DIALECTS[caller.connection.type];
      this.#refuse(incoming, response, dialect, error);
    });
  }

  #upgradeFromPort(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const arrivedMs = this.options.host.monotonicMs();
    const caller = this.#streams.get(incoming.socket)?.caller;
    const turn = this.#turns.enter(incoming, socket, true);
    const run = async (): Promise<void> => {
      if (caller === undefined) throw new HoopError('failed', 'an upgrade of nobody');
      const called = this.#throughPort(incoming, caller, arrivedMs);
      checkHandshake(incoming);
      await this.#upgrade(incoming, socket, head, called, turn);
    };
    run().catch((error: unknown) => {
      const dialect = caller === undefined ? DIALECTS.http : DIALECTS[caller.connection.type];
      return this.#refuseUpgrade(socket, dialect, error, turn);
    });
  }

  /** Two parsers on one connection know nothing of each other: what came before has to be answered. */
  async #ignoreOffer(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const ending = new EventEmitter();
    if (!(await this.#turns.enter(incoming, ending, true).come())) return;
    ending.emit('close');
    ignoreUpgrade(this.#server, incoming, socket, head);
  }

  /** What comes through a local port, from a caller who was let in a while ago. */
  #throughPort(incoming: IncomingMessage, caller: HttpCaller, arrivedMs: number): Called {
    const current = currentCaller(caller, this.options);
    guardPort(incoming, current);
    const correlationId = correlationOf(incoming, caller.correlationId);
    const trace = traceOf(incoming) ?? caller.trace;
    return { caller: { ...current, correlationId, trace }, target: incoming.url ?? '', localBase: '', arrivedMs };
  }

  /** Who sent a request to `/c/NAME/…`, and what they ask of whom. */
  async #called(
    incoming: IncomingMessage,
    authenticate: (request: IncomingMessage) => Promise<Identity>,
  ): Promise<Called> {
    const arrivedMs = this.options.host.monotonicMs();
    const identity = await authenticate(incoming);
    const [, name = '', rest = ''] = DIRECT.exec(incoming.url ?? '') ?? [];
    const permitted = this.options.subject(identity, () =>
      connectionFor(this.options.connections(), decode(name), identity, this.options.access(identity)),
    );
    if (!isHttpPermitted(permitted)) throw new HoopError('no_access', 'this connection does not speak HTTP');
    const caller: HttpCaller = {
      identity,
      ...permitted,
      correlationId: correlationOf(incoming, ''),
      trace: traceOf(incoming),
      reason: '',
      address: this.options.addressOf(incoming),
      tell: () => undefined,
    };
    return { caller, target: rest.startsWith('/') ? rest : `/${rest}`, localBase: `/c/${name}`, arrivedMs };
  }

  /** A stream of events or messages may last: it is cut once its token does not count any more. */
  #watch(
    incoming: IncomingMessage,
    { caller: { identity } }: Called,
    authenticate: (request: IncomingMessage) => Promise<Identity>,
  ): () => void {
    return this.options.watches.watch({
      identity,
      again: () => authenticate(incoming),
      onRefused: () => incoming.socket.destroy(),
    });
  }

  async #exchange(incoming: IncomingMessage, response: ServerResponse, called: Called, turn: Turn): Promise<void> {
    const { caller, localBase, arrivedMs } = called;
    const request = requestOf(incoming, called);
    const dialect = DIALECTS[caller.connection.type];
    const input = { incoming, response, caller, request, dialect, localBase, arrivedMs, turn };
    await new Exchange(this.#parts, input).run();
  }

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, called: Called, turn: Turn): Promise<void> {
    const { caller, localBase, arrivedMs } = called;
    const read = requestOf(incoming, called);
    const request = { ...read, headers: handshakeHeaders(read.headers) };
    const dialect = DIALECTS[caller.connection.type];
    // It takes the connection over: what came before must have been answered.
    if (!(await turn.come())) return;
    const input = { incoming, socket, head, caller, request, dialect, localBase, arrivedMs };
    await new UpgradeExchange(this.#parts, input).run();
  }

  async #refuseUpgrade(socket: Duplex, dialect: Dialect, error: unknown, turn: Turn): Promise<void> {
    if (!isForeseen(error)) this.options.host.log(`upgrade refused: ${messageOf(error)}`);
    socket.on('error', () => socket.destroy());
    if (!(await turn.come())) return;
    new UpgradeAnswer(socket, dialect, '').refuse(...refusalAtDoor(error));
  }

  #refuse(incoming: IncomingMessage, response: ServerResponse, dialect: Dialect, error: unknown): void {
    if (!isForeseen(error)) this.options.host.log(`request refused: ${messageOf(error)}`);
    new ClientAnswer(response, incoming, dialect, '').refuse(...refusalAtDoor(error));
  }
}

/** A request that somebody may make. */
interface Called {
  readonly caller: HttpCaller;
  /** Below the connection's `url`. */
  readonly target: string;
  readonly localBase: string;
  /** Monotonic milliseconds at which it came. */
  readonly arrivedMs: number;
}

/** @throws HoopError `protocol` for a path or headers that could mean two things */
function requestOf(incoming: IncomingMessage, { caller, target, localBase }: Called): HttpRequest {
  // It would echo the stored credential, and has no other use.
  if (incoming.httpVersionMajor !== 1) throw new HoopError('usage', 'a request in HTTP/1.1 was expected');
  if (incoming.method === 'TRACE') throw new HoopError('usage', 'TRACE is not served');
  // A model's endpoint is known by its path, which must have one spelling.
  const read = readTarget(target, { slashes: caller.connection.type === 'http' });
  if ('code' in read) throw HoopError.fromFault(read);
  const forwarded = forwardedHeaders(incoming.rawHeaders, Object.keys(caller.credential.headers));
  if ('code' in forwarded) throw HoopError.fromFault(forwarded);
  const contentType = incoming.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const { url } = caller.connection;
  const named = upstreamAddresses(forwarded.headers, incoming.headers.host, { upstream: url, base: localBase });
  if ('code' in named) throw HoopError.fromFault(named);
  return { method: incoming.method ?? '', host: new URL(url).host, ...read, headers: named.headers, contentType };
}

/** Before it is known whose dialect it is: by what only one of the SDKs sends. */
function guessedDialect(incoming: IncomingMessage): Dialect {
  return incoming.headers['anthropic-version'] === undefined ? DIALECTS.openai : DIALECTS.anthropic;
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new HoopError('usage', 'expected percent-encoded text');
  }
}

function isForeseen(error: unknown): boolean {
  return error instanceof HoopError || error instanceof TooManyLogins;
}
