/**
 * Fields of a COPY row in text and CSV form: where they end, and what stands behind their escapes.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9
 */
import type { CopyFormat } from './copy-format.js';

const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** How text format writes the bytes that it escapes. */
const TEXT_ESCAPES = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
]);
const TEXT_LETTERS = new Map([...TEXT_ESCAPES].map(([letter, byte]) => [byte, letter] as const));

/** Client encodings in which the second byte of a character may look like a backslash or a delimiter. */
const WIDE = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'UHC', 'JOHAB', 'GB18030']);
const SPELLINGS: Readonly<Record<string, string>> = {
  MSKANJI: 'SJIS',
  SHIFTJIS: 'SJIS',
  WIN932: 'SJIS',
  WINDOWS932: 'SJIS',
  WIN936: 'GBK',
  WINDOWS936: 'GBK',
  WIN949: 'UHC',
  WINDOWS949: 'UHC',
  WIN950: 'BIG5',
  WINDOWS950: 'BIG5',
  SHIFTJIS2004: 'SHIFT_JIS_2004',
};

/** The encoding by the name that PostgreSQL reports, however a statement spells it. */
function canonical(name: string): string {
  const bare = name.toUpperCase().replace(/[^A-Z0-9]/g, '');
  return SPELLINGS[bare] ?? bare;
}

export class CopyFields {
  readonly #wide: string | undefined;

  constructor(private readonly format: CopyFormat) {
    const encoding = canonical(format.encoding ?? 'UTF8');
    this.#wide = WIDE.has(encoding) ? encoding : undefined;
  }

  /** May a byte of a character look like one that means something in a row? */
  get wide(): boolean {
    return this.#wide !== undefined;
  }

  /** Where the field that begins at `from` ends: at a delimiter or at `end`. */
  fieldEnd(bytes: Uint8Array, from: number, end: number): number {
    const { kind, delimiter, quote, escape } = this.format;
    let inQuotes = false;
    for (let at = from; at < end; at += this.#step(bytes, at)) {
      const byte = bytes[at] as number;
      if (kind === 'text') {
        if (byte === BACKSLASH) at += 1;
        else if (byte === delimiter) return at;
      } else if (inQuotes && byte === escape && escape !== quote) {
        at += 1;
      } else if (byte === quote) {
        inQuotes = !inQuotes;
      } else if (!inQuotes && byte === delimiter) {
        return at;
      }
    }
    return end;
  }

  /** Bytes of the line end before `end`: none, LF or CR LF. */
  lineEnd(bytes: Uint8Array, end: number): number {
    if (bytes[end - 1] !== NEWLINE) return 0;
    return bytes[end - 2] === RETURN ? 2 : 1;
  }

  /** What the field stands for; undefined for NULL. */
  read(raw: Uint8Array): Uint8Array | undefined {
    if (this.#isNull(raw)) return undefined;
    return this.format.kind === 'text' ? this.#unescaped(raw) : this.#unquoted(raw);
  }

  write(value: Uint8Array | null): Uint8Array {
    if (value === null) return new TextEncoder().encode(this.format.nullText);
    return this.format.kind === 'text' ? this.#escaped(value) : this.#quoted(value);
  }

  #isNull(raw: Uint8Array): boolean {
    const { nullText } = this.format;
    return raw.length === nullText.length && raw.every((byte, index) => byte === nullText.charCodeAt(index));
  }

  #unescaped(raw: Uint8Array): Uint8Array {
    if (raw.indexOf(BACKSLASH) === -1) return raw;
    const out = new Uint8Array(raw.length);
    let length = 0;
    for (let at = 0; at < raw.length;) {
      const bytes = this.#step(raw, at);
      if (raw[at] === BACKSLASH && at + 1 < raw.length) {
        out[length++] = TEXT_ESCAPES.get(raw[at + 1] as number) ?? (raw[at + 1] as number);
        at += 2;
        continue;
      }
      for (const end = Math.min(at + bytes, raw.length); at < end; at += 1) out[length++] = raw[at] as number;
    }
    return out.subarray(0, length);
  }

  #escaped(value: Uint8Array): Uint8Array {
    return this.#written(value, (byte) => {
      const letter = TEXT_LETTERS.get(byte);
      if (letter !== undefined) return [BACKSLASH, letter];
      return byte === BACKSLASH || byte === this.format.delimiter ? [BACKSLASH, byte] : undefined;
    });
  }

  #unquoted(raw: Uint8Array): Uint8Array {
    const { quote, escape } = this.format;
    if (raw[0] !== quote) return raw;
    const out = new Uint8Array(raw.length);
    let length = 0;
    for (let at = 1; at < raw.length - 1;) {
      if (raw[at] === escape && (raw[at + 1] === quote || raw[at + 1] === escape)) at += 1;
      for (const end = Math.min(at + this.#step(raw, at), raw.length - 1); at < end; at += 1)
        out[length++] = raw[at] as number;
    }
    return out.subarray(0, length);
  }

  #quoted(value: Uint8Array): Uint8Array {
    const { quote, escape } = this.format;
    const inside = this.#written(value, (byte) => (byte === quote || byte === escape ? [escape, byte] : undefined));
    const out = new Uint8Array(inside.length + 2);
    out[0] = out[inside.length + 1] = quote;
    out.set(inside, 1);
    return out;
  }

  #written(value: Uint8Array, instead: (byte: number) => number[] | undefined): Uint8Array {
    const out = new Uint8Array(2 * value.length);
    let length = 0;
    for (let at = 0; at < value.length;) {
      const escaped = instead(value[at] as number);
      if (escaped !== undefined) {
        for (const byte of escaped) out[length++] = byte;
        at += 1;
        continue;
      }
      for (const end = Math.min(at + this.#step(value, at), value.length); at < end; at += 1)
        out[length++] = value[at] as number;
    }
    return out.subarray(0, length);
  }

  /** Bytes of the character at `at`, as the server counts them; one at a time where no byte can be mistaken. */
  #step(bytes: Uint8Array, at: number): number {
    const lead = bytes[at] as number;
    if (this.#wide === undefined || lead < 0x80) return 1;
    if (this.#wide === 'GB18030') {
      const second = bytes[at + 1] ?? 0;
      return second >= 0x30 && second <= 0x39 ? 4 : 2;
    }
    const kana = lead >= 0xa1 && lead <= 0xdf;
    if (kana && (this.#wide === 'SJIS' || this.#wide === 'SHIFT_JIS_2004')) return 1;
    return this.#wide === 'JOHAB' && lead === 0x8f ? 3 : 2;
  }
}
