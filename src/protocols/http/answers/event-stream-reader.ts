import { HoopError } from '../../../core/errors.js';

/** One line of an event stream. */
export interface EventLine {
  /** Without its end. */
  readonly text: string;
  /** What ended it: LF, CR, both, or nothing where the stream broke off. */
  readonly end: string;
  /** `data`, `event`, …; `:` for a comment; empty for the blank line that ends an event. */
  readonly field: string;
  /** Where the value begins in `text`. */
  readonly valueFrom: number;
}

/** What stands between two blank lines, the second one included. */
export interface ServerEvent {
  /** Every byte of it, to go on as they came. */
  readonly raw: Uint8Array;
  /** Empty for bytes that are no part of any event: a byte order mark, the LF after a CR that ended an event. */
  readonly lines: readonly EventLine[];
  /** From `event:`; empty where there is none. */
  readonly name: string;
  /** The `data:` lines, joined by LF; undefined where there are none. */
  readonly data: string | undefined;
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const FIRST_CAPACITY = 4096;
/** Lines of one event: each costs many times its bytes where it is short. */
const MAX_LINES = 65_536;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Cuts an event stream into events, however the network sliced it. All `raw` together are the bytes that came.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export class EventStreamReader {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  /** Bytes in the buffer. */
  #length = 0;
  /** Where the event that is being read begins. */
  #from = 0;
  #lineFrom = 0;
  /** Up to here the buffer was looked at. */
  #at = 0;
  #lines: EventLine[] = [];
  #atStart = true;
  /** The last line ended with CR: an LF that follows is a part of that line end. */
  #afterCr = false;

  /** @param maxEventBytes largest event accepted, line ends included */
  constructor(private readonly maxEventBytes: number) {}

  /** @throws HoopError `protocol` for an event that is too large, in bytes or lines */
  push(part: Uint8Array): ServerEvent[] {
    this.#append(part);
    const events: ServerEvent[] = [];
    if (this.#atStart && !this.#skipMark(events)) return events;
    this.#skipLineFeed(events);
    while (this.#at < this.#length) {
      const byte = this.#buffer[this.#at];
      this.#at += 1;
      if (byte === LF || byte === CR) this.#endLine(byte, events);
    }
    this.#checkSize(this.#length - this.#from);
    return events;
  }

  /** The stream is over: the event that no blank line ended, if any. */
  end(): ServerEvent[] {
    if (this.#from === this.#length) return [];
    if (this.#lineFrom < this.#length) this.#lines.push(lineOf(this.#decoded(this.#length), ''));
    return [this.#takeEvent(this.#length)];
  }

  #append(part: Uint8Array): void {
    this.#buffer.copyWithin(0, this.#from, this.#length);
    this.#length -= this.#from;
    this.#at -= this.#from;
    this.#lineFrom -= this.#from;
    this.#from = 0;
    const needed = this.#length + part.length;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(part, this.#length);
    this.#length = needed;
  }

  /** @returns false where what came may still become a byte order mark */
  #skipMark(events: ServerEvent[]): boolean {
    const held = this.#buffer.subarray(0, Math.min(this.#length, BYTE_ORDER_MARK.length));
    const begins = held.every((byte, index) => byte === BYTE_ORDER_MARK[index]);
    if (begins && held.length < BYTE_ORDER_MARK.length) return false;
    this.#atStart = false;
    if (begins) events.push(this.#takeEvent(BYTE_ORDER_MARK.length));
    return true;
  }

  #skipLineFeed(events: ServerEvent[]): void {
    if (!this.#afterCr || this.#at === this.#length) return;
    this.#afterCr = false;
    if (this.#buffer[this.#at] !== LF) return;
    const last = this.#lines.pop();
    if (last === undefined) {
      events.push(this.#takeEvent(this.#at + 1));
      return;
    }
    this.#lines.push({ ...last, end: '\r\n' });
    this.#at += 1;
    this.#lineFrom = this.#at;
  }

  #endLine(byte: number, events: ServerEvent[]): void {
    const text = this.#decoded(this.#at - 1);
    let end = '\n';
    if (byte === CR) {
      end = '\r';
      if (this.#at === this.#length) this.#afterCr = true;
      else if (this.#buffer[this.#at] === LF) {
        this.#at += 1;
        end = '\r\n';
      }
    }
    this.#lines.push(lineOf(text, end));
    this.#lineFrom = this.#at;
    if (this.#lines.length > MAX_LINES)
      throw new HoopError('protocol', `an event of the answer has more than ${String(MAX_LINES)} lines`);
    if (text === '') events.push(this.#takeEvent(this.#at));
  }

  #decoded(to: number): string {
    return to === this.#lineFrom ? '' : utf8.decode(this.#buffer.subarray(this.#lineFrom, to));
  }

  #takeEvent(to: number): ServerEvent {
    this.#checkSize(to - this.#from);
    const raw = this.#buffer.slice(this.#from, to);
    const lines = this.#lines;
    this.#lines = [];
    this.#from = to;
    this.#lineFrom = to;
    this.#at = to;
    return { raw, lines, name: lastValue(lines, 'event'), data: joinedData(lines) };
  }

  #checkSize(bytes: number): void {
    if (bytes > this.maxEventBytes)
      throw new HoopError('protocol', `an event of the answer has more than ${String(this.maxEventBytes)} bytes`);
  }
}

function lineOf(text: string, end: string): EventLine {
  const colon = text.indexOf(':');
  if (text === '') return { text, end, field: '', valueFrom: 0 };
  if (colon === 0) return { text, end, field: ':', valueFrom: 1 };
  if (colon < 0) return { text, end, field: text, valueFrom: text.length };
  return { text, end, field: text.slice(0, colon), valueFrom: text[colon + 1] === ' ' ? colon + 2 : colon + 1 };
}

function lastValue(lines: readonly EventLine[], field: string): string {
  const line = lines.findLast((one) => one.field === field);
  return line === undefined ? '' : line.text.slice(line.valueFrom);
}

function joinedData(lines: readonly EventLine[]): string | undefined {
  const data = lines.filter((line) => line.field === 'data');
  return data.length === 0 ? undefined : data.map((line) => line.text.slice(line.valueFrom)).join('\n');
}
