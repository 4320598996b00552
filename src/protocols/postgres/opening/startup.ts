/**
 * What a Postgres client sends before its first typed message: requests for encryption, a cancel
 * request, or the start-up message.
 *
 *     0            4           8
 *     +------------+-----------+---------------------------------+
 *     | length u32 | code u32  | name NUL value NUL … NUL        |
 *     +------------+-----------+---------------------------------+
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-STARTUPMESSAGE
 */
import { copyBytes } from '../../../core/copy-bytes.js';
import { ByteQueue } from '../../../core/bytes.js';
import type { Fault } from '../../../core/errors.js';
import { BodyReader, uint32 } from '../wire/frames.js';

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** The server's own limit (MAX_STARTUP_PACKET_LENGTH). */
const MAX_STARTUP_BYTES = 10_000;
/** SSLRequest and GSSENCRequest may each come once. */
const MAX_NEGOTIATIONS = 2;

export interface CancelKey {
  readonly pid: number;
  /** Up to 256 bytes in protocol 3.2, 4 in 3.0. */
  readonly secret: Uint8Array;
}

export interface StartupMessage {
  /** The user name the client gave; the agent ignores it for authentication. */
  readonly user: string;
  readonly database: string | undefined;
  /** Settings for the session, `options` split into its parts; names lower-case. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  readonly replication: string | undefined;
  /** Minor protocol version asked for; above 0 the answer is a NegotiateProtocolVersion. */
  readonly minor: number;
  /** `_pq_.` options; none is known to this version. */
  readonly protocolOptions: readonly string[];
}

export type StartupStep =
  | { readonly kind: 'more' }
  /** Answer these bytes (`N`: not encrypted) and go on. */
  | { readonly kind: 'reply'; readonly bytes: Uint8Array }
  | { readonly kind: 'cancel'; readonly key: CancelKey }
  | { readonly kind: 'start'; readonly message: StartupMessage; readonly rest: Uint8Array }
  | { readonly kind: 'fault'; readonly fault: Fault };

export class StartupReader {
  readonly #held = new ByteQueue();
  #negotiations = 0;

  push(chunk: Uint8Array): void {
    this.#held.push(chunk);
  }

  next(): StartupStep {
    const head = this.#held.peek(8);
    if (head === undefined) return { kind: 'more' };
    const length = uint32(head, 0);
    if (length < 8 || length > MAX_STARTUP_BYTES) {
      return fault(`expected a start-up packet of 8 to ${String(MAX_STARTUP_BYTES)} B, got ${String(length)} B`);
    }
    const packet = this.#held.take(length);
    if (packet === undefined) return { kind: 'more' };
    const code = uint32(packet, 4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return this.#negotiate();
    if (code === CANCEL_REQUEST) return cancel(packet);
    if (code >>> 16 !== 3) return fault(`expected protocol 3, got ${String(code >>> 16)}.${String(code & 0xffff)}`);
    return this.#start(packet, code & 0xffff);
  }

  #negotiate(): StartupStep {
    this.#negotiations += 1;
    if (this.#negotiations > MAX_NEGOTIATIONS) return fault('encryption was asked for more than twice');
    return { kind: 'reply', bytes: Uint8Array.of(0x4e) };
  }

  #start(packet: Uint8Array, minor: number): StartupStep {
    const parsed = parseParameters(packet);
    if (parsed === undefined) return fault('the start-up packet is not a list of names and values');
    const options = parsed.get('options');
    const settings: (readonly [string, string])[] = [];
    if (options !== undefined) {
      const split = splitOptions(options);
      if (split === undefined) return fault('expected start-up options of the form -c name=value or --name=value');
      settings.push(...split);
    }
    for (const [name, value] of parsed) {
      if (!NOT_SETTINGS.has(name) && !name.startsWith('_pq_.')) settings.push([name.toLowerCase(), value]);
    }
    const database = parsed.get('database');
    const message: StartupMessage = {
      user: parsed.get('user') ?? '',
      database: database === '' ? undefined : database,
      settings,
      replication: parsed.get('replication'),
      minor,
      protocolOptions: [...parsed.keys()].filter((name) => name.startsWith('_pq_.')),
    };
    return { kind: 'start', message, rest: this.#held.takeAll() };
  }
}

const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication']);

function fault(message: string): StartupStep {
  return { kind: 'fault', fault: { code: 'protocol', message } };
}

function cancel(packet: Uint8Array): StartupStep {
  if (packet.length < 16 || packet.length > 12 + 256) return fault('malformed cancel request');
  return { kind: 'cancel', key: { pid: uint32(packet, 8), secret: copyBytes(packet.subarray(12)) } };
}

/** Names given twice count as the server counts them: the last one. */
function parseParameters(packet: Uint8Array): Map<string, string> | undefined {
  const reader = new BodyReader(packet, 8);
  const found = new Map<string, string>();
  while (reader.remaining > 1) {
    const name = reader.cstring();
    if (reader.failed) return undefined;
    if (name === '') return undefined;
    const value = reader.cstring();
    if (reader.failed) return undefined;
    found.set(name, value);
  }
  return reader.remaining === 1 && reader.byte() === 0 ? found : undefined;
}

/**
 * Splits the `options` parameter as the server does: white space separates, a backslash takes the
 * next character as it is. Only settings are accepted: `-c name=value`, `-cname=value`, `--name=value`.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 */
export function splitOptions(options: string): (readonly [string, string])[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < options.length; index += 1) {
    const char = options.charAt(index);
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '\\') {
      index += 1;
      word = (word ?? '') + options.charAt(index);
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  const settings: (readonly [string, string])[] = [];
  for (let index = 0; index < words.length; index += 1) {
    let item = words[index] as string;
    if (item === '-c') {
      index += 1;
      item = words[index] ?? '';
    } else if (item.startsWith('--') || item.startsWith('-c')) {
      item = item.slice(2);
    } else {
      return undefined;
    }
    const equals = item.indexOf('=');
    if (equals < 1) return undefined;
    settings.push([item.slice(0, equals).replaceAll('-', '_').toLowerCase(), item.slice(equals + 1)]);
  }
  return settings;
}
