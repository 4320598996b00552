import { copyBytes } from '../../../core/copy-bytes.js';
import type { Fault } from '../../../core/errors.js';
import { UpstreamAuthentication } from './authentication.js';
import { BodyReader, FrameParser, SERVER, uint32, type Frame } from '../wire/frames.js';
import type { SessionMasks } from '../masks.js';
import { maskReport } from '../results/error-masker.js';
import { authenticationOk, backendKeyData, errorMessage, negotiateVersion, startupPacket } from '../wire/messages.js';
import { SQLSTATE } from '../refusal.js';
import type { PostgresSessionOptions } from './session-options.js';
import type { CancelKey } from './startup.js';

/** What the opening wants sent, and how it stands. */
export interface OpeningStep {
  readonly toServer: readonly Uint8Array[];
  readonly toClient: readonly Uint8Array[];
  /** Set when the server is ready: its cancel key and what came behind. */
  readonly ready?: { readonly serverKey: CancelKey | undefined; readonly rest: Uint8Array };
  readonly fault?: Fault;
}

/** What of a session's options the opening needs; the agent's own sessions have no more. */
export type OpeningOptions = Pick<PostgresSessionOptions, 'credential' | 'database' | 'cancelKey' | 'crypto'> & {
  readonly startup: Pick<PostgresSessionOptions['startup'], 'settings' | 'minor' | 'protocolOptions'>;
  masks(): Pick<SessionMasks, 'answers' | 'columns'>;
};

/** Largest message taken before the session is open. */
const MAX_OPENING_BYTES = 64 * 1024;

/** From the start-up packet to the first ReadyForQuery: authenticates the stored credential, passes the server's parameters on. */
export class Opening {
  readonly #parser = new FrameParser({ maxFrameBytes: () => MAX_OPENING_BYTES });
  readonly #authentication: UpstreamAuthentication;
  #authenticated = false;
  /** Notices so far: before its authentication is over a client takes none. */
  readonly #notices: Uint8Array[] = [];
  #serverKey: CancelKey | undefined;

  constructor(
    private readonly options: OpeningOptions,
    private readonly onParameter: (name: string, value: string) => void,
  ) {
    this.#authentication = new UpstreamAuthentication(options.credential, options.crypto);
  }

  /** A notice of our own, for when the client is ready to take it. */
  notice(message: Uint8Array): void {
    this.#notices.push(message);
  }

  start(): Uint8Array {
    const { credential, database, startup } = this.options;
    return startupPacket([['user', credential.user], ['database', database], ...startup.settings]);
  }

  receive(chunk: Uint8Array): OpeningStep {
    this.#parser.push(chunk);
    const toServer: Uint8Array[] = [];
    const toClient: Uint8Array[] = [];
    for (;;) {
      const frame = this.#parser.next();
      if (frame === undefined) return { toServer, toClient };
      if ('code' in frame) return { toServer, toClient, fault: frame };
      if (frame.oversizeBytes !== undefined)
        return {
          toServer,
          toClient,
          fault: { code: 'limit', message: 'oversized message before the session was open' },
        };
      const fault = this.#frame(frame, toServer, toClient);
      if (fault !== undefined) return { toServer, toClient, fault };
      if (frame.type === SERVER.readyForQuery)
        return { toServer, toClient, ready: { serverKey: this.#serverKey, rest: this.#parser.rest() } };
    }
  }

  #frame(frame: Frame, toServer: Uint8Array[], toClient: Uint8Array[]): Fault | undefined {
    if (frame.type === SERVER.authentication && !this.#authenticated)
      return this.#authenticate(frame.bytes, toServer, toClient);
    if (frame.type === SERVER.error) return this.#refusedByServer(frame.bytes, toClient);
    if (frame.type === SERVER.notice) {
      // A login trigger may say anything.
      const { answers, columns } = this.options.masks();
      const masked = maskReport(frame.bytes, answers, columns === undefined ? 'none' : 'any', new Map());
      if (masked === undefined) return { code: 'protocol', message: 'malformed notice from the server' };
      (this.#authenticated ? toClient : this.#notices).push(masked.bytes);
      return undefined;
    }
    if (!this.#authenticated)
      return { code: 'protocol', message: 'the server sent something else before authentication was over' };
    switch (frame.type) {
      case SERVER.parameterStatus: {
        const reader = new BodyReader(frame.bytes);
        this.onParameter(reader.cstring(), reader.cstring());
        toClient.push(frame.bytes);
        return reader.failed ? { code: 'protocol', message: 'malformed parameter from the server' } : undefined;
      }
      case SERVER.backendKeyData:
        this.#serverKey = { pid: uint32(frame.bytes, 5), secret: copyBytes(frame.bytes.subarray(9)) };
        return undefined;
      case SERVER.readyForQuery: {
        const { pid, secret } = this.options.cancelKey;
        // The process is the server's own, since clients look for it in notifications and pg_stat_activity; the secret is
        // ours. Also where the server gave no key: drivers expect one, and a cancel then ends a wait all the same.
        toClient.push(backendKeyData(this.#serverKey?.pid ?? pid, secret), frame.bytes);
        return undefined;
      }
      default:
        return { code: 'protocol', message: 'the server sent something unexpected while opening' };
    }
  }

  #authenticate(message: Uint8Array, toServer: Uint8Array[], toClient: Uint8Array[]): Fault | undefined {
    const step = this.#authentication.receive(message);
    if (step.kind === 'fault') return step.fault;
    if (step.kind === 'send') toServer.push(step.bytes);
    if (step.kind === 'ok') {
      this.#authenticated = true;
      const { minor, protocolOptions } = this.options.startup;
      if (minor > 0 || protocolOptions.length > 0) toClient.push(negotiateVersion(protocolOptions));
      toClient.push(authenticationOk(), ...this.#notices);
    }
    return undefined;
  }

  /** The server's own words, but never which stored credential it refused. */
  #refusedByServer(message: Uint8Array, toClient: Uint8Array[]): Fault {
    const masked = maskReport(message, this.options.masks().answers, 'none', new Map());
    if (masked === undefined) return { code: 'protocol', message: 'malformed error from the server' };
    if (masked.report.code.startsWith('28')) {
      toClient.push(
        errorMessage({
          severity: 'FATAL',
          code: SQLSTATE.invalidAuthorization,
          message: 'the server refused the stored credential of this connection',
        }),
      );
      return { code: 'upstream_auth', message: 'the server refused the stored credential' };
    }
    toClient.push(masked.bytes);
    return { code: 'upstream_unreachable', message: `the server refused the session (${masked.report.code})` };
  }
}
