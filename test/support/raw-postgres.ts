import { connect, type Socket } from 'node:net';
import { cstring, errorFields, i32, messagesIn } from '../protocols/postgres/wire.js';

export interface WireMessage {
  readonly type: string;
  readonly body: Buffer;
}

/** A client that sends the bytes it is told to and shows every message that comes back. */
export interface RawSession {
  /** What the server said up to its first ReadyForQuery, or to its end. */
  readonly opening: readonly WireMessage[];
  /** Sends bytes and gives the messages up to and with that many ReadyForQuery, or the end of the connection. */
  exchange(bytes: Uint8Array, readyCount: number): Promise<readonly WireMessage[]>;
  end(): void;
}

const PROTOCOL_3_0 = 196_608;

/**
 * Opens a session with a server that asks for no password.
 *
 * @param startup parameters of the start-up packet
 */
export async function openRawSession(port: number, startup: Readonly<Record<string, string>>): Promise<RawSession> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const incoming = new Incoming(socket);
  const pairs = Object.entries(startup).flatMap(([name, value]) => [cstring(name), cstring(value)]);
  const parameters = Buffer.concat([...pairs, Buffer.from([0])]);
  socket.write(Buffer.concat([i32(parameters.length + 8), i32(PROTOCOL_3_0), parameters]));
  const opening = await incoming.until(1);
  return {
    opening,
    exchange: (bytes, readyCount) => {
      socket.write(bytes);
      return incoming.until(readyCount);
    },
    end: () => socket.destroy(),
  };
}

class Incoming {
  #bytes = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => this.#wake?.());
  }

  async until(readyCount: number): Promise<readonly WireMessage[]> {
    for (;;) {
      const whole = this.#bytes.subarray(0, wholeLength(this.#bytes));
      const found = messagesIn(whole);
      if (found.filter(({ type }) => type === 'Z').length >= readyCount || this.socket.closed) {
        this.#bytes = this.#bytes.subarray(whole.length);
        return found;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

function wholeLength(bytes: Buffer): number {
  let at = 0;
  while (bytes.length - at >= 5 && at + 1 + bytes.readUInt32BE(at + 1) <= bytes.length)
    at += 1 + bytes.readUInt32BE(at + 1);
  return at;
}

/** The errors among the messages, as SQLSTATE and text. */
export function errorsIn(messages: readonly WireMessage[]): { readonly code: string; readonly message: string }[] {
  return messages
    .filter(({ type }) => type === 'E')
    .map(({ body }) => errorFields(body))
    .map((fields) => ({ code: fields['C'] ?? '', message: fields['M'] ?? '' }));
}
