import type { Socket } from 'node:net';
import { HoopError, type Fault } from '../../../core/errors.js';
import { BodyReader, FrameParser, SERVER, type Frame } from '../../../protocols/postgres/frames.js';
import { queryMessage, terminateMessage } from '../../../protocols/postgres/messages.js';
import type { Rows } from '../../../protocols/postgres/catalog/queries.js';
import { Opening } from '../../../protocols/postgres/opening.js';
import { authenticationCrypto } from './authentication-crypto.js';

export interface OwnSession {
  readonly credential: { readonly user: string; readonly password: string | undefined };
  readonly database: string;
  /** The password at the time of a later login; that of `credential` where absent. */
  readonly freshPassword?: () => Promise<string | undefined>;
}

/** The next query, given what those before it gave; undefined when there is none. */
export type NextQuery = (results: readonly Rows[]) => string | undefined;

const MAX_MESSAGE_BYTES = 8 << 20;
const MAX_RESULT_BYTES = 64 << 20;

/**
 * Runs queries of the agent's own over a socket, one result each, and closes it. The server is not trusted: what it
 * says is read as strictly as in a client's session, and in bounded memory and time.
 *
 * @throws HoopError upstream_unreachable, without the server's own words
 */
export function ownQueries(
  socket: Socket,
  session: OwnSession,
  next: NextQuery,
  timeoutMs: number,
): Promise<readonly Rows[]> {
  return new Promise((resolve, reject) => {
    const run = new OwnRun(session, next, (bytes) => socket.write(bytes));
    const finish = (fault?: Fault): void => {
      clearTimeout(timer);
      if (fault === undefined) socket.end(terminateMessage());
      else socket.destroy();
      if (fault === undefined) resolve(run.results);
      else reject(new HoopError('upstream_unreachable', 'a query of the agent failed', { why: fault.message }));
    };
    const timer = setTimeout(() => {
      finish({ code: 'upstream_unreachable', message: `no answer within ${String(timeoutMs / 1000)} s` });
    }, timeoutMs);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      finish({ code: 'upstream_unreachable', message: 'the server hung up' });
    });
    socket.on('end', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      const fault = run.receive(bytes);
      if (fault !== undefined || run.done) finish(fault);
    });
    run.start();
    socket.resume();
  });
}

class OwnRun {
  readonly results: (readonly (string | null)[])[][] = [];
  done = false;
  readonly #opening: Opening;
  readonly #parser = new FrameParser({ maxFrameBytes: () => MAX_MESSAGE_BYTES });
  #open = false;
  #bytes = 0;

  constructor(
    session: OwnSession,
    private readonly next: NextQuery,
    private readonly send: (bytes: Uint8Array) => void,
  ) {
    this.#opening = new Opening(
      {
        ...session,
        startup: {
          settings: [
            ['application_name', 'hoop catalog'],
            ['client_encoding', 'UTF8'],
            ['standard_conforming_strings', 'on'],
          ],
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

  start(): void {
    this.send(this.#opening.start());
  }

  receive(bytes: Uint8Array): Fault | undefined {
    if (this.#open) return this.#answers(bytes);
    const step = this.#opening.receive(bytes);
    for (const message of step.toServer) this.send(message);
    if (step.fault !== undefined) return step.fault;
    if (step.ready === undefined) return undefined;
    this.#open = true;
    this.#next();
    return this.#answers(step.ready.rest);
  }

  #next(): void {
    const query = this.next(this.results);
    if (query === undefined) this.done = true;
    else {
      this.results.push([]);
      this.send(queryMessage(query));
    }
  }

  #answers(bytes: Uint8Array): Fault | undefined {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_RESULT_BYTES) return { code: 'limit', message: `more than ${String(MAX_RESULT_BYTES)} B` };
    this.#parser.push(bytes);
    for (;;) {
      const frame = this.#parser.next();
      if (frame === undefined || this.done) return undefined;
      if ('code' in frame) return frame;
      const fault = this.#frame(frame);
      if (fault !== undefined) return fault;
    }
  }

  #frame(frame: Frame): Fault | undefined {
    if (frame.oversizeBytes !== undefined)
      return { code: 'limit', message: `message of ${String(frame.oversizeBytes)} B` };
    if (frame.type === SERVER.dataRow) {
      const row = cells(frame.bytes);
      if (row === undefined) return { code: 'protocol', message: 'malformed row' };
      this.results.at(-1)?.push(row);
    } else if (frame.type === SERVER.readyForQuery) {
      this.#next();
    } else if (!QUIET.has(frame.type)) {
      return { code: 'protocol', message: 'the server refused the query, or answered with something else' };
    }
    return undefined;
  }
}

/** Messages around the rows that say nothing the agent needs. */
const QUIET: ReadonlySet<number> = new Set([
  SERVER.rowDescription,
  SERVER.commandComplete,
  SERVER.notice,
  SERVER.parameterStatus,
  SERVER.notification,
]);

const decoder = new TextDecoder();

function cells(message: Uint8Array): (string | null)[] | undefined {
  const reader = new BodyReader(message);
  const row = reader.list(4, () => {
    const length = reader.int32();
    return length === -1 ? null : decoder.decode(reader.take(length));
  });
  return reader.failed || reader.remaining > 0 ? undefined : row;
}
