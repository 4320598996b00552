/**
 * Masks the rows of COPY … TO STDOUT in text and CSV form: cuts a row into fields as the server
 * wrote it, undoes the escapes, masks each field as a value of its own, and escapes it again.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9
 */
import { concatBytes } from '../../core/bytes.js';
import type { MaskCounts } from '../../core/mask.js';
import { decodeHex } from './hex-form.js';
import { count, type ValueMasker } from './row-masker.js';

export interface CopyFormat {
  readonly kind: 'text' | 'csv' | 'binary';
  /** Single-byte characters. */
  readonly delimiter: number;
  readonly quote: number;
  readonly escape: number;
  readonly nullText: string;
}

const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** `{`, `[`, `"`: anything else that is JSON holds no escapes. */
const JSON_STARTS: ReadonlySet<number> = new Set([0x7b, 0x5b, 0x22]);

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

export class CopyRowMasker {
  constructor(
    private readonly format: CopyFormat,
    private readonly values: ValueMasker,
    private readonly counts: MaskCounts,
  ) {}

  /**
   * @param payload one row, its line end included
   * @returns the row itself when nothing changed
   */
  mask(payload: Uint8Array): Uint8Array {
    // Escapes can hide a value from a scan of the raw bytes, so only a row without any may be passed by it.
    const plain = payload.indexOf(BACKSLASH) === -1 && payload.indexOf(this.format.quote) === -1;
    if (plain && !this.values.mayMatch(payload, 0, payload.length)) return payload;
    const lineEnd = payload.at(-1) === NEWLINE ? (payload.at(-2) === 0x0d ? 2 : 1) : 0;
    const end = payload.length - lineEnd;
    const out: Uint8Array[] = [];
    let changed = false;
    for (let at = 0; at <= end;) {
      const stop = this.#fieldEnd(payload, at, end);
      const masked = this.#field(payload.subarray(at, stop));
      changed ||= masked !== undefined;
      out.push(masked ?? payload.subarray(at, stop), payload.subarray(stop, Math.min(stop + 1, end)));
      at = stop + 1;
    }
    if (!changed) return payload;
    out.push(payload.subarray(end));
    return concatBytes(out);
  }

  #fieldEnd(bytes: Uint8Array, from: number, end: number): number {
    let quoted = false;
    for (let at = from; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (this.format.kind === 'text') {
        if (byte === BACKSLASH) at += 1;
        else if (byte === this.format.delimiter) return at;
      } else if (quoted && byte === this.format.escape && this.format.escape !== this.format.quote) {
        at += 1;
      } else if (byte === this.format.quote) {
        quoted = !quoted;
      } else if (!quoted && byte === this.format.delimiter) {
        return at;
      }
    }
    return end;
  }

  /** @returns the field to write instead, or undefined to leave it */
  #field(raw: Uint8Array): Uint8Array | undefined {
    const value = this.format.kind === 'text' ? unescapeText(raw) : this.#unquote(raw);
    const masked = this.#value(value);
    if (masked === undefined) return undefined;
    if (masked === null) return new TextEncoder().encode(this.format.nullText);
    return this.format.kind === 'text' ? escapeText(masked, this.format.delimiter) : this.#quote(masked);
  }

  /** Nothing tells a field's type: what reads as JSON or as a bytea is looked at as such too. */
  #value(value: Uint8Array): Uint8Array | null | undefined {
    const bytes = decodeHex(value, 0, value.length);
    if (bytes !== undefined && this.values.mayMatch(bytes, 0, bytes.length)) {
      count(this.counts, 'unreadable');
      return null;
    }
    return JSON_STARTS.has(value[0] ?? 0)
      ? this.values.maskJson(value, 0, value.length, this.counts)
      : this.values.maskValue(value, 0, value.length, this.counts);
  }

  #unquote(raw: Uint8Array): Uint8Array {
    const { quote, escape } = this.format;
    if (raw[0] !== quote) return raw;
    const out: number[] = [];
    for (let at = 1; at < raw.length - 1; at += 1) {
      if (raw[at] === escape && (raw[at + 1] === quote || raw[at + 1] === escape)) at += 1;
      out.push(raw[at] as number);
    }
    return Uint8Array.from(out);
  }

  #quote(value: Uint8Array): Uint8Array {
    const out: number[] = [this.format.quote];
    for (const byte of value) {
      if (byte === this.format.quote || byte === this.format.escape) out.push(this.format.escape);
      out.push(byte);
    }
    out.push(this.format.quote);
    return Uint8Array.from(out);
  }
}

function unescapeText(raw: Uint8Array): Uint8Array {
  if (raw.indexOf(BACKSLASH) === -1) return raw;
  const out: number[] = [];
  for (let at = 0; at < raw.length; at += 1) {
    let byte = raw[at] as number;
    if (byte === BACKSLASH && at + 1 < raw.length) {
      at += 1;
      byte = raw[at] as number;
      byte = TEXT_ESCAPES.get(byte) ?? byte;
    }
    out.push(byte);
  }
  return Uint8Array.from(out);
}

function escapeText(value: Uint8Array, delimiter: number): Uint8Array {
  const out: number[] = [];
  for (const byte of value) {
    const letter = TEXT_LETTERS.get(byte);
    if (letter !== undefined) out.push(BACKSLASH, letter);
    else if (byte === BACKSLASH || byte === delimiter) out.push(BACKSLASH, byte);
    else out.push(byte);
  }
  return Uint8Array.from(out);
}
