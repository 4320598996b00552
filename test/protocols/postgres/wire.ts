/** Builds Postgres messages for tests, independent of the writer under test. */
export function message(type: string, body: Uint8Array | readonly number[] | string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body as Uint8Array);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

export const query = (text: string): Buffer => message('Q', cstring(text));
export const parse = (name: string, text: string): Buffer =>
  message('P', Buffer.concat([cstring(name), cstring(text), u16(0)]));
export const bind = (portal: string, statement: string, values: readonly (string | null)[] = []): Buffer =>
  message(
    'B',
    Buffer.concat([
      cstring(portal),
      cstring(statement),
      u16(0),
      u16(values.length),
      ...values.map((value) =>
        value === null ? i32(-1) : Buffer.concat([i32(Buffer.byteLength(value)), Buffer.from(value)]),
      ),
      u16(0),
    ]),
  );
export const describePortal = (name: string): Buffer => message('D', cstring(`P${name}`));
export const execute = (portal: string, rows = 0): Buffer => message('E', Buffer.concat([cstring(portal), i32(rows)]));
export const sync = (): Buffer => message('S', '');

export const ready = (status = 'I'): Buffer => message('Z', status);
export const complete = (tag: string): Buffer => message('C', cstring(tag));
export const row = (cells: readonly (string | Buffer | null)[]): Buffer =>
  message(
    'D',
    Buffer.concat([
      u16(cells.length),
      ...cells.map((cell) =>
        cell === null ? i32(-1) : Buffer.concat([i32(Buffer.byteLength(cell)), Buffer.from(cell as string)]),
      ),
    ]),
  );
export interface Column {
  readonly name: string;
  readonly type?: number;
  readonly table?: number;
  readonly attribute?: number;
  readonly format?: number;
}

export const rowDescription = (columns: readonly Column[]): Buffer =>
  message(
    'T',
    Buffer.concat([
      u16(columns.length),
      ...columns.flatMap(({ name, type = 25, table = 0, attribute = 0, format = 0 }) => [
        cstring(name),
        i32(table),
        u16(attribute),
        i32(type),
        u16(65535),
        i32(-1),
        u16(format),
      ]),
    ]),
  );

/** Every message of a byte stream as `type` and body text, for readable expectations. */
export function messagesIn(bytes: Uint8Array): { type: string; body: Buffer }[] {
  const found: { type: string; body: Buffer }[] = [];
  let at = 0;
  const buffer = Buffer.from(bytes);
  while (at < buffer.length) {
    const length = buffer.readUInt32BE(at + 1);
    found.push({ type: String.fromCharCode(buffer[at] as number), body: buffer.subarray(at + 5, at + 1 + length) });
    at += 1 + length;
  }
  return found;
}

/** The fields of an ErrorResponse or NoticeResponse body. */
export function errorFields(body: Buffer): Record<string, string> {
  return Object.fromEntries(
    body
      .toString()
      .split('\0')
      .filter((field) => field !== '')
      .map((field) => [field.charAt(0), field.slice(1)]),
  );
}
