/**
 * Writes Postgres messages, both directions.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
import { CLIENT, SERVER } from './frames.js';

const encoder = new TextEncoder();

/** Grows as needed; `message` frames what was written. */
class BodyWriter {
  #bytes = new Uint8Array(128);
  #length = 5;

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.byte((value >>> 8) & 0xff).byte(value & 0xff);
  }

  uint32(value: number): this {
    return this.uint16((value >>> 16) & 0xffff).uint16(value & 0xffff);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Text up to its first NUL: what follows one could not be told from the next field. */
  cstring(text: string): this {
    const nul = text.indexOf('\0');
    return this.raw(encoder.encode(nul === -1 ? text : text.slice(0, nul))).byte(0);
  }

  message(type: number): Uint8Array {
    const length = this.#length - 1;
    this.#bytes[0] = type;
    this.#bytes[1] = length >>> 24;
    this.#bytes[2] = (length >>> 16) & 0xff;
    this.#bytes[3] = (length >>> 8) & 0xff;
    this.#bytes[4] = length & 0xff;
    return this.#bytes.slice(0, this.#length);
  }

  /** Without a type: start-up packets. */
  packet(): Uint8Array {
    return this.message(0).subarray(1);
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export interface ErrorFields {
  readonly severity: 'ERROR' | 'FATAL' | 'NOTICE' | 'WARNING';
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Characters into the statement, from 1. */
  readonly position?: number;
}

export function errorMessage(fields: ErrorFields): Uint8Array {
  return errorOrNotice(SERVER.error, fields);
}

export function noticeMessage(message: string, hint?: string): Uint8Array {
  return errorOrNotice(SERVER.notice, {
    severity: 'NOTICE',
    code: '00000',
    message,
    ...(hint === undefined ? {} : { hint }),
  });
}

function errorOrNotice(type: number, fields: ErrorFields): Uint8Array {
  const writer = new BodyWriter();
  const field = (letter: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') writer.byte(letter.charCodeAt(0)).cstring(value);
  };
  field('S', fields.severity);
  field('V', fields.severity);
  field('C', fields.code);
  field('M', fields.message);
  field('D', fields.detail);
  field('H', fields.hint);
  field('P', fields.position === undefined ? undefined : String(fields.position));
  return writer.byte(0).message(type);
}

/** Rebuilds an ErrorResponse or NoticeResponse of other fields. */
export function fieldsMessage(type: number, fields: readonly (readonly [letter: number, value: string])[]): Uint8Array {
  const writer = new BodyWriter();
  for (const [letter, value] of fields) writer.byte(letter).cstring(value);
  return writer.byte(0).message(type);
}

export const authenticationOk = (): Uint8Array => new BodyWriter().uint32(0).message(SERVER.authentication);

export function backendKeyData(pid: number, secret: Uint8Array): Uint8Array {
  return new BodyWriter().uint32(pid).raw(secret).message(SERVER.backendKeyData);
}

/** Says that this side speaks 3.0 and knows none of these options. */
export function negotiateVersion(unknownOptions: readonly string[]): Uint8Array {
  const writer = new BodyWriter().uint32(3 << 16).uint32(unknownOptions.length);
  for (const name of unknownOptions) writer.cstring(name);
  return writer.message(SERVER.negotiateVersion);
}

export function notificationMessage(pid: number, channel: string, payload: string): Uint8Array {
  return new BodyWriter().uint32(pid).cstring(channel).cstring(payload).message(SERVER.notification);
}

export function parameterStatus(name: string, value: string): Uint8Array {
  return new BodyWriter().cstring(name).cstring(value).message(SERVER.parameterStatus);
}

export function startupPacket(parameters: readonly (readonly [string, string])[]): Uint8Array {
  const writer = new BodyWriter().uint32(3 << 16);
  for (const [name, value] of parameters) writer.cstring(name).cstring(value);
  return writer.byte(0).packet();
}

export function cancelPacket(pid: number, secret: Uint8Array): Uint8Array {
  return new BodyWriter().uint32(80877102).uint32(pid).raw(secret).packet();
}

export const sslRequest = (): Uint8Array => new BodyWriter().uint32(80877103).packet();

export const passwordMessage = (password: string): Uint8Array => new BodyWriter().cstring(password).message(0x70);

export function saslInitial(mechanism: string, response: string): Uint8Array {
  const bytes = encoder.encode(response);
  return new BodyWriter().cstring(mechanism).uint32(bytes.length).raw(bytes).message(0x70);
}

export const saslResponse = (response: string): Uint8Array =>
  new BodyWriter().raw(encoder.encode(response)).message(0x70);

export const queryMessage = (text: string): Uint8Array => new BodyWriter().cstring(text).message(CLIENT.query);

/** @param types object ids of the types of its parameters; 0 or missing: the server's choice */
export function parseMessage(name: string, text: string, types: readonly number[] = []): Uint8Array {
  const writer = new BodyWriter().cstring(name).cstring(text).uint16(types.length);
  for (const type of types) writer.uint32(type);
  return writer.message(CLIENT.parse);
}

/** Closes a prepared statement. */
export const closeMessage = (name: string): Uint8Array =>
  new BodyWriter().byte(0x53).cstring(name).message(CLIENT.close);

/** Binds values to the unnamed statement; its results come as text. */
export function bindMessage(
  portal: string,
  { formats, values }: { readonly formats: readonly number[]; readonly values: readonly (Uint8Array | null)[] },
): Uint8Array {
  const writer = new BodyWriter().cstring(portal).cstring('').uint16(formats.length);
  for (const format of formats) writer.uint16(format);
  writer.uint16(values.length);
  for (const value of values) {
    if (value === null) writer.uint32(0xffffffff);
    else writer.uint32(value.length).raw(value);
  }
  return writer.uint16(0).message(CLIENT.bind);
}

/** @param maxRows then the portal is suspended; 0: all */
export function executeMessage(portal: string, maxRows: number): Uint8Array {
  return new BodyWriter().cstring(portal).uint32(maxRows).message(CLIENT.execute);
}

export const syncMessage = (): Uint8Array => new BodyWriter().message(CLIENT.sync);

/** @param kind `S` a statement, `P` a portal */
export function describeMessage(kind: 'S' | 'P', name: Uint8Array): Uint8Array {
  return new BodyWriter().byte(kind.charCodeAt(0)).raw(name).byte(0).message(CLIENT.describe);
}

export const terminateMessage = (): Uint8Array => new BodyWriter().message(CLIENT.terminate);

export const copyFailMessage = (why: string): Uint8Array => new BodyWriter().cstring(why).message(CLIENT.copyFail);

export function copyDataMessage(payload: Uint8Array): Uint8Array {
  return new BodyWriter().raw(payload).message(SERVER.copyData);
}

/** @param cells NULLs as null */
export function dataRow(cells: readonly (Uint8Array | null)[]): Uint8Array {
  const writer = new BodyWriter().uint16(cells.length);
  for (const cell of cells)
    if (cell === null) writer.uint32(0xffffffff);
    else writer.uint32(cell.length).raw(cell);
  return writer.message(SERVER.dataRow);
}

export function functionResult(value: Uint8Array | null): Uint8Array {
  const writer = new BodyWriter();
  if (value === null) writer.uint32(0xffffffff);
  else writer.uint32(value.length).raw(value);
  return writer.message(SERVER.functionResult);
}
