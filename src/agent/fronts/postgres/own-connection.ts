import type { Socket } from 'node:net';
import { HoopError, type Fault } from '../../../core/errors.js';
import { maskReport } from '../../../protocols/postgres/results/error-masker.js';
import { BodyReader, FrameParser, SERVER, type Frame } from '../../../protocols/postgres/wire/frames.js';
import { terminateMessage } from '../../../protocols/postgres/wire/messages.js';
import { Opening } from '../../../protocols/postgres/opening/opening.js';
import type { CancelKey } from '../../../protocols/postgres/opening/startup.js';
import { authenticationCrypto } from './authentication-crypto.js';

export interface OwnSession {
  readonly credential: { readonly user: string; readonly password: string | undefined };
  readonly database: string;
  /** The password at the time of a later login; that of `credential` where absent. */
  readonly freshPassword?: () => Promise<string | undefined>;
  /** What it calls itself; `hoop catalog` where absent. */
  readonly application?: string;
  /** Settings of its start-up packet. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
}

/** The same with the password as it is now. */
export async function withFreshPassword(session: OwnSession): Promise<OwnSession> {
  const password = await (session.freshPassword?.() ?? session.credential.password);
  return { ...session, credential: { ...session.credential, password } };
}

/** What came until the server was ready again. */
export interface OwnAnswer {
  /** The last RowDescription, a whole message. */
  readonly description: Uint8Array | undefined;
  /** Whole DataRow messages. */
  readonly rows: readonly Uint8Array[];
  /** The last command tag; empty where none came. */
  readonly tag: string;
  /** There are more rows than were asked for. */
  readonly suspended: boolean;
  /** SQLSTATE of the server's refusal; its words may hold data, and stay with it. */
  readonly refused: string | undefined;
}

const MAX_MESSAGE_BYTES = 8 << 20;
const MAX_RESULT_BYTES = 64 << 20;

/** Decide how bytes are read: the agent's own, whatever the client's are. */
const READING: readonly (readonly [string, string])[] = [
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
];

/**
 * A connection of the agent's own to a database server, asked one thing at a time. The server is not trusted: what it
 * says is read as strictly as in a client's session, and in bounded memory and time.
 */
export class OwnConnection {
  readonly #opening: Opening;
  readonly #parser = new FrameParser({ maxFrameBytes: () => MAX_MESSAGE_BYTES });
  readonly #timer: NodeJS.Timeout;
  #open = false;
  #serverKey: CancelKey | undefined;
  #bytes = 0;
  #fault: Fault | undefined;
  #answer = emptyAnswer();
  #waiting: { resolve(answer: OwnAnswer): void; reject(error: Error): void } | undefined;

  private constructor(
    private readonly socket: Socket,
    session: OwnSession,
    timeoutMs: number,
  ) {
    this.#opening = openingOf(session);
    this.#timer = setTimeout(() => {
      this.#fail({ code: 'upstream_unreachable', message: `no answer within ${String(timeoutMs / 1000)} s` });
    }, timeoutMs);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#fail({ code: 'upstream_unreachable', message: 'the server hung up' });
    });
    socket.on('end', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      const fault = this.#receive(bytes);
      if (fault !== undefined) this.#fail(fault);
    });
  }

  /**
   * @param socket open, with TLS where the connection asks for it; the connection's from now on
   * @param timeoutMs for all of its life
   * @throws HoopError upstream_unreachable, without the server's own words
   */
  static async open(socket: Socket, session: OwnSession, timeoutMs: number): Promise<OwnConnection> {
    const connection = new OwnConnection(socket, session, timeoutMs);
    const ready = connection.#ask(connection.#opening.start());
    socket.resume();
    await ready;
    return connection;
  }

  /**
   * @param messages after which the server is ready again: a Query, or some that end with a Sync
   * @throws HoopError upstream_unreachable, without the server's own words
   */
  ask(...messages: readonly Uint8Array[]): Promise<OwnAnswer> {
    return this.#ask(...messages);
  }

  /** By which the server cancels what runs in it. */
  get serverKey(): CancelKey | undefined {
    return this.#serverKey;
  }

  /** Ends it; what is open in it is rolled back by the server. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#fault !== undefined) return;
    this.#fault = { code: 'upstream_unreachable', message: 'the connection is closed' };
    this.socket.end(terminateMessage());
  }

  #ask(...messages: readonly Uint8Array[]): Promise<OwnAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) {
        reject(failure(this.#fault));
        return;
      }
      this.#waiting = { resolve, reject };
      for (const message of messages) this.socket.write(message);
    });
  }

  #fail(fault: Fault): void {
    clearTimeout(this.#timer);
    this.#fault ??= fault;
    this.socket.destroy();
    this.#waiting?.reject(failure(this.#fault));
    this.#waiting = undefined;
  }

  #receive(bytes: Uint8Array): Fault | undefined {
    if (this.#open) return this.#answers(bytes);
    const step = this.#opening.receive(bytes);
    for (const message of step.toServer) this.socket.write(message);
    if (step.fault !== undefined) return step.fault;
    if (step.ready === undefined) return undefined;
    this.#open = true;
    this.#serverKey = step.ready.serverKey;
    this.#ready();
    return this.#answers(step.ready.rest);
  }

  #ready(): void {
    const answer = this.#answer;
    this.#answer = emptyAnswer();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }

  #answers(bytes: Uint8Array): Fault | undefined {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_RESULT_BYTES) return { code: 'limit', message: `more than ${String(MAX_RESULT_BYTES)} B` };
    this.#parser.push(bytes);
    for (;;) {
      const frame = this.#parser.next();
      if (frame === undefined || this.#fault !== undefined) return undefined;
      if ('code' in frame) return frame;
      const fault = this.#frame(frame);
      if (fault !== undefined) return fault;
    }
  }

  #frame({ type, bytes, oversizeBytes }: Frame): Fault | undefined {
    if (oversizeBytes !== undefined) return { code: 'limit', message: `message of ${String(oversizeBytes)} B` };
    const answer = this.#answer;
    if (type === SERVER.dataRow) answer.rows.push(bytes);
    else if (type === SERVER.rowDescription) answer.description = bytes;
    else if (type === SERVER.commandComplete) answer.tag = new BodyReader(bytes).cstring();
    else if (type === SERVER.portalSuspended) answer.suspended = true;
    else if (type === SERVER.error) answer.refused = sqlStateOf(bytes);
    else if (type === SERVER.readyForQuery) this.#ready();
    else if (!QUIET.has(type)) return { code: 'protocol', message: 'the server answered with something else' };
    return undefined;
  }
}

function emptyAnswer(): { -readonly [K in keyof OwnAnswer]: OwnAnswer[K] } & { rows: Uint8Array[] } {
  return { description: undefined, rows: [], tag: '', suspended: false, refused: undefined };
}

function openingOf(session: OwnSession): Opening {
  const own = new Set(['application_name', ...READING.map(([name]) => name)]);
  const settings = (session.settings ?? []).filter(([name]) => !own.has(name.toLowerCase()));
  const { credential, database, application = 'hoop catalog' } = session;
  return new Opening(
    {
      credential,
      database,
      startup: {
        settings: [...settings, ['application_name', application], ...READING],
        minor: 0,
        protocolOptions: [],
      },
      cancelKey: { pid: 0, secret: new Uint8Array(4) },
      crypto: authenticationCrypto,
      masks: () => ({ answers: undefined, columns: undefined }),
    },
    () => undefined,
  );
}

function sqlStateOf(message: Uint8Array): string {
  const code = maskReport(message, undefined, 'any', new Map())?.report.code ?? '';
  return /^[0-9A-Z]{5}$/.test(code) ? code : 'XX000';
}

function failure(fault: Fault): HoopError {
  return new HoopError('upstream_unreachable', 'a query of the agent failed', { why: fault.message });
}

/** Messages around the rows that say nothing the agent needs. */
const QUIET: ReadonlySet<number> = new Set([
  ...[SERVER.notice, SERVER.parameterStatus, SERVER.notification, SERVER.emptyQuery, SERVER.noData],
  ...[SERVER.parseComplete, SERVER.bindComplete, SERVER.closeComplete, SERVER.parameterDescription],
]);
