const QUERY = 'Q'.charCodeAt(0);
const PARSE = 'P'.charCodeAt(0);
const COPY_DATA = 'd'.charCodeAt(0);
const COPY_DONE = 'c'.charCodeAt(0);
const COPY_FAIL = 'f'.charCodeAt(0);
const COPY_IN_RESPONSE = 'G'.charCodeAt(0);
const HEADER_BYTES = 5;
/** Type, length, text format, and no columns described. */
const GO_ON = Uint8Array.of(COPY_IN_RESPONSE, 0, 0, 0, 7, 0, 0, 0);

const COPY_FROM_STDIN = /^(?:\s|--[^\n]*\n|\/\*[^]*?\*\/)*copy\s[^;]*\bfrom\s+stdin\b/i;
const NOT_THIS_WAY = 'the_trial_database_takes_copy_from_stdin_by_the_simple_protocol_only';

/** What to do with one message of a client. */
export type CopyStep =
  | { readonly kind: 'run'; readonly bytes: Uint8Array; readonly skipGoOn: boolean }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array };

/**
 * `COPY … FROM STDIN` for a backend that must have all its input at once: PGlite reads on where a message
 * ends, finds nothing, and its only backend ends. So the client is told to go on, its rows are kept, and
 * statement and rows are run together.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyIn {
  #kept: Uint8Array[] | undefined;

  next(message: Uint8Array): CopyStep {
    if (this.#kept !== undefined) return this.#keep(this.#kept, message);
    const run = { kind: 'run', bytes: message, skipGoOn: false } as const;
    if (message[0] === QUERY && COPY_FROM_STDIN.test(textOf(message, HEADER_BYTES))) {
      this.#kept = [message];
      return { kind: 'answer', bytes: GO_ON };
    }
    if (message[0] !== PARSE) return run;
    const nameEnd = message.indexOf(0, HEADER_BYTES) + 1;
    // Postgres refuses the other text, and skips to Sync as the protocol says.
    return COPY_FROM_STDIN.test(textOf(message, nameEnd))
      ? { ...run, bytes: otherStatement(message.subarray(HEADER_BYTES, nameEnd)) }
      : run;
  }

  /** The client has gone. */
  forget(): void {
    this.#kept = undefined;
  }

  #keep(kept: Uint8Array[], message: Uint8Array): CopyStep {
    const nothing = { kind: 'answer', bytes: new Uint8Array(0) } as const;
    const [type] = message;
    // Sync and Flush have no meaning here.
    if (type !== COPY_DATA && type !== COPY_DONE && type !== COPY_FAIL) return nothing;
    kept.push(message);
    if (type === COPY_DATA) return nothing;
    this.#kept = undefined;
    return { kind: 'run', bytes: Buffer.concat(kept), skipGoOn: true };
  }
}

/** The backend's own answer to what was answered for it already; it comes at the front of the first bytes. */
export function withoutGoOn(data: Uint8Array): Uint8Array {
  if (data[0] !== COPY_IN_RESPONSE) return data;
  return data.subarray(1 + new DataView(data.buffer, data.byteOffset).getInt32(1));
}

function textOf(message: Uint8Array, from: number): string {
  const end = message.indexOf(0, from);
  return Buffer.from(message.subarray(from, end === -1 ? message.length : end)).toString('utf8');
}

/** @param name the statement's, with its ending zero */
function otherStatement(name: Uint8Array): Uint8Array {
  const body = Buffer.concat([name, Buffer.from(`${NOT_THIS_WAY}\0`), Uint8Array.of(0, 0)]);
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = PARSE;
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}
