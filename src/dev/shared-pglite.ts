import { PGlite } from '@electric-sql/pglite';
import { CopyIn, withoutGoOn } from './copy-in.js';

const STARTUP = 0;
const TERMINATE = 'X'.charCodeAt(0);
const READY_FOR_QUERY = 'Z'.charCodeAt(0);
/** Type, length and transaction status of ReadyForQuery. */
const READY_BYTES = 6;
const SYNC = Uint8Array.of('S'.charCodeAt(0), 0, 0, 0, 4);

/**
 * PGlite for several connections behind its socket server.
 *
 * There is one backend, so one session: the server lets connections take turns message by message, and
 * keeps the turn with one only while `isInTransaction`. Here a turn also lasts from Parse to Sync, since a
 * statement of another connection in between would take the place of the unnamed one. A connection that
 * finds itself alone starts from a clean session.
 */
export class SharedPGlite extends PGlite {
  /** How many connections there are, the asking one included. */
  connections: () => number = () => 0;
  #unanswered = false;
  readonly #copyIn = new CopyIn();

  override isInTransaction(): boolean {
    return this.#unanswered || super.isInTransaction();
  }

  override async execProtocolRawStream(
    message: Uint8Array,
    options: Parameters<PGlite['execProtocolRawStream']>[1],
  ): Promise<void> {
    if (message[0] === STARTUP && this.connections() <= 1) await this.execProtocolRaw(simpleQuery('DISCARD ALL'));
    const step = this.#copyIn.next(message);
    if (step.kind === 'answer') {
      this.#unanswered = true;
      if (step.bytes.length > 0) options.onRawData(step.bytes);
      return;
    }
    let tail = new Uint8Array(0);
    let first = step.skipGoOn;
    const onRawData = (data: Uint8Array): void => {
      tail = Uint8Array.from([...tail, ...data.subarray(-READY_BYTES)]).slice(-READY_BYTES);
      options.onRawData(first ? withoutGoOn(data) : data);
      first = false;
    };
    try {
      await super.execProtocolRawStream(step.bytes, { ...options, onRawData });
    } catch (error) {
      // The only backend has ended, and the socket server would let everyone wait for ever.
      setImmediate(() => {
        throw error;
      });
      throw error;
    }
    this.#unanswered = message[0] !== TERMINATE && !(tail.length === READY_BYTES && tail[0] === READY_FOR_QUERY);
  }

  /** The socket server rolls back here what a connection left open when it went. */
  override async exec(...given: Parameters<PGlite['exec']>): ReturnType<PGlite['exec']> {
    this.#copyIn.forget();
    if (this.#unanswered) await this.execProtocolRaw(SYNC);
    this.#unanswered = false;
    return super.exec(...given);
  }
}

/** @see https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-QUERY */
function simpleQuery(sql: string): Uint8Array {
  const text = new TextEncoder().encode(`${sql}\0`);
  const message = new Uint8Array(5 + text.length);
  message[0] = 'Q'.charCodeAt(0);
  new DataView(message.buffer).setInt32(1, 4 + text.length);
  message.set(text, 5);
  return message;
}
