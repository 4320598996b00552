import { concatBytes } from '../../core/bytes.js';
import type { MaskCounts } from '../../core/mask.js';
import { codes } from '../finding/entity.js';
import { BACKSLASH, escaped, escapeLength, QUOTE, unescapeInto } from './json-escapes.js';
import type { Restorer } from '../streams/restorer.js';
import type { StreamPlan } from '../streams/stream-plan.js';
import { TextStream } from '../streams/text-stream.js';
import type { StreamSink } from '../streams/text-stream.js';

/** A string that may become `null` as a whole is held up to this many bytes; in longer ones the findings are redacted. */
export const MAX_NULL_BYTES = 1_048_576;

const NULL = new Uint8Array(codes('null'));
/** A key can't be null. */
const NULL_KEY = new Uint8Array(codes('"[masked]"'));
const ONE_QUOTE = Uint8Array.of(QUOTE);
const NONE = new Uint8Array();

/** One escape of the text, as it was written. */
interface Escape {
  /** In the decoded text. */
  readonly at: number;
  readonly length: number;
  readonly raw: Uint8Array;
}

/**
 * One JSON string in parts: its decoded text is masked as a text of its own, and what stays is written as it was.
 * From a malformed byte on everything is text.
 */
export class JsonString implements StreamSink {
  readonly #text: TextStream;
  readonly #out: Uint8Array[];
  readonly #key: boolean;
  /** The beginning of an escape whose end has not come. */
  #pending: Uint8Array = NONE;
  readonly #escapes: Escape[] = [];
  #decoded = 0;
  #raw = false;
  /** Where the whole string may become null: what would go out else. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #nulls = false;
  #changed = false;

  constructor(plan: StreamPlan, counts: MaskCounts, out: Uint8Array[], key: boolean, restorer: Restorer | undefined) {
    this.#text = new TextStream(plan, counts, this, restorer);
    this.#out = out;
    this.#key = key;
    if (plan.nulls) this.#held = [];
  }

  /** Something of it was masked. */
  get changed(): boolean {
    return this.#changed;
  }

  /** The quote it begins with. */
  open(): void {
    this.#write(ONE_QUOTE);
  }

  /** The next bytes between its quotes; false where they can't stand there: then they were taken as text. */
  push(part: Uint8Array): boolean {
    this.#heldBytes += part.length;
    if (this.#heldBytes > MAX_NULL_BYTES) this.#releaseHeld();
    return this.#decode(this.#pending.length === 0 ? part : concatBytes([this.#pending, part]), false);
  }

  /** Its closing quote has come. */
  close(): boolean {
    if (this.#pending.length > 0 && !this.#decode(this.#pending, true)) return false;
    this.#text.end();
    this.#write(ONE_QUOTE);
    if (this.#held !== undefined && this.#nulls) this.#out.push(this.#key ? NULL_KEY : NULL);
    else this.#releaseHeld();
    return true;
  }

  /** Text from here on, without quotes and escapes. */
  pushText(part: Uint8Array): void {
    this.#raw = true;
    this.#releaseHeld();
    this.#text.push(this.#pending.length === 0 ? part : concatBytes([this.#pending, part]));
    this.#pending = NONE;
  }

  /** No more comes. */
  end(): void {
    this.pushText(NONE);
    this.#text.end();
  }

  kept(bytes: Uint8Array, from: number, to: number, at: number): void {
    let first = from;
    let done = 0;
    for (const escape of this.#escapes) {
      const place = escape.at - at + from;
      if (place >= to) break;
      done += 1;
      if (place >= first) {
        if (place > first) this.#write(bytes.slice(first, place));
        this.#write(escape.raw);
      }
      // What was masked of an escape is gone as a whole.
      first = Math.max(first, place + escape.length);
      if (first > to) done -= 1;
    }
    if (done > 0) this.#escapes.splice(0, done);
    if (first < to) this.#write(bytes.slice(first, to));
  }

  masked(bytes: Uint8Array, nulls: boolean): void {
    this.#changed = true;
    this.#nulls ||= nulls;
    this.#write(this.#raw ? bytes : escaped(bytes));
  }

  restored(bytes: Uint8Array): void {
    this.#changed = true;
    this.#write(this.#raw ? bytes : escaped(bytes));
  }

  #write(bytes: Uint8Array): void {
    (this.#held ?? this.#out).push(bytes);
  }

  #releaseHeld(): void {
    if (this.#held === undefined) return;
    for (const part of this.#held) this.#out.push(part);
    this.#held = undefined;
  }

  #decode(bytes: Uint8Array, over: boolean): boolean {
    const out = new Uint8Array(bytes.length);
    let length = 0;
    let at = 0;
    let bad = false;
    this.#pending = NONE;
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte >= 0x20 && byte !== BACKSLASH) {
        out[length++] = byte;
        at += 1;
        continue;
      }
      const size = byte === BACKSLASH ? escapeLength(bytes, at, bytes.length, over) : -1;
      bad = size < 0;
      if (size <= 0) break;
      const written = unescapeInto(bytes, at, size, out, length);
      this.#escapes.push({ at: this.#decoded + length, length: written, raw: bytes.slice(at, at + size) });
      length += written;
      at += size;
    }
    this.#decoded += length;
    this.#text.push(out.subarray(0, length));
    if (bad) this.pushText(bytes.subarray(at));
    else if (at < bytes.length) this.#pending = bytes.slice(at);
    return !bad;
  }
}
