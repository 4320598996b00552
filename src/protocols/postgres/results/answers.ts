/**
 * Reads what the server sends, message by message, and says what the client gets.
 *
 * Two speeds: where nothing can be masked in a result, its rows are only counted and move on in the
 * chunks they came in, however large one row is. Where a mask may apply, whole rows are held, and
 * stretches of rows in which the scanner is certain to find nothing still move as they are.
 */
import { concatBytes } from '../../../core/bytes.js';
import type { Fault } from '../../../core/errors.js';
import { HEADER_BYTES, SERVER, typeSet, uint32 } from '../wire/frames.js';
import type { Handled } from '../handler-host.js';
import type { ResultHandler } from './result-handler.js';
import { wellShaped } from './server-shapes.js';

/** Types that may be passed on in parts. */
const STREAMED = typeSet([SERVER.dataRow, SERVER.copyData]);
/** What a server may send; anything else means that the stream is out of step. */
const KNOWN = typeSet(Object.values(SERVER));

const MISSHAPEN: Handled = { code: 'protocol', message: 'malformed message from the server' };

export interface AnswerLimits {
  /** A message that has to be held whole, in bytes. */
  readonly maxHeldBytes: number;
}

/** Rows looked through at once: one candidate slows no more than its stretch. */
const STRETCH_BYTES = 4 * 1024;
/** A shorter run of rows is not worth the scanner's copy. */
const MIN_MASKED_STRETCH_BYTES = 512;

export class AnswerReader {
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #neededBytes = HEADER_BYTES;
  /** Bytes of a passed message that are still to come. */
  #passing = 0;
  #fault: Fault | undefined;
  /** Bytes walked now, from here on, that go on as they came. */
  #passedFrom = 0;
  /** Up to here, in the bytes walked now, rows are read one by one. */
  #doubtfulUntil = 0;

  constructor(
    private readonly limits: AnswerLimits,
    private readonly handler: ResultHandler,
    private readonly emit: (bytes: Uint8Array) => void,
  ) {}

  /** Is the client in the middle of a message? Then nothing else may be put in. */
  get midMessage(): boolean {
    return this.#passing > 0;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  push(chunk: Uint8Array): Fault | undefined {
    if (this.#fault !== undefined) return this.#fault;
    if (this.#heldBytes > 0) {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < this.#neededBytes) return undefined;
      const joined = concatBytes(this.#held);
      this.#held = [];
      this.#heldBytes = 0;
      this.#walk(joined);
    } else {
      this.#walk(chunk);
    }
    return this.#fault;
  }

  #walk(bytes: Uint8Array): void {
    this.#doubtfulUntil = 0;
    this.#passedFrom = 0;
    let at = 0;
    for (let next: number | undefined = 0; next !== undefined && next < bytes.length;) {
      next = this.#step(bytes, at);
      at = next ?? at;
    }
    if (this.#fault !== undefined) return;
    this.#pass(bytes, at);
    if (at < bytes.length) this.#hold(bytes, at);
  }

  /** @returns the offset behind what could be done from `at`; undefined where more bytes are needed, or at a fault */
  #step(bytes: Uint8Array, at: number): number | undefined {
    if (this.#passing > 0) {
      const count = Math.min(this.#passing, bytes.length - at);
      this.#passing -= count;
      this.handler.passed(bytes.subarray(at, at + count));
      return at + count;
    }
    if (bytes.length - at < HEADER_BYTES) return undefined;
    const type = bytes[at] as number;
    const total = uint32(bytes, at + 1) + 1;
    if (!this.#believable(type, total)) {
      this.#pass(bytes, at);
      return undefined;
    }
    if (STREAMED.has(type) && this.handler.passes(type, total)) return this.#passRun(type, bytes, at, at + total);
    if (at + total > bytes.length) {
      this.#neededBytes = total;
      return undefined;
    }
    const end = STREAMED.has(type) ? this.#rows(type, bytes, at) : at;
    return end === undefined || end > at ? end : this.#message(type, bytes, at, at + total);
  }

  /**
   * Messages of one type that go on unread, one after another, are counted and handed on as one.
   *
   * @param firstEnd behind the first of them, which may be more than `bytes` holds
   * @returns the offset behind what there is of them
   */
  #passRun(type: number, bytes: Uint8Array, at: number, firstEnd: number): number {
    let behind = firstEnd;
    let rows = 1;
    const ofAnySize = this.handler.passes(type, 0);
    while (ofAnySize && bytes.length - behind >= HEADER_BYTES && bytes[behind] === type) {
      const total = uint32(bytes, behind + 1) + 1;
      if (total < HEADER_BYTES) break;
      behind += total;
      rows += 1;
    }
    this.handler.countedRows(rows, behind - at);
    this.#passing = Math.max(0, behind - bytes.length);
    const end = Math.min(behind, bytes.length);
    this.handler.passed(bytes.subarray(at, end));
    return end;
  }

  /** Many rows at once. @returns the offset behind them, `at` where the first has to be looked at by itself; undefined at a fault */
  #rows(type: number, bytes: Uint8Array, at: number): number | undefined {
    const stretch = this.handler.maskedStretch(type, bytes, at, MIN_MASKED_STRETCH_BYTES);
    if (stretch === undefined) return type === SERVER.dataRow ? this.#untouchedRows(bytes, at) : at;
    if ('code' in stretch) return this.#fail(bytes, at, stretch);
    if (stretch.parts !== undefined) {
      this.#pass(bytes, at);
      for (const part of stretch.parts) this.emit(part);
      this.#passedFrom = stretch.end;
    }
    return stretch.end;
  }

  #message(type: number, bytes: Uint8Array, at: number, end: number): number | undefined {
    const message = bytes.subarray(at, end);
    const result = wellShaped(type, message) ? this.handler.message(type, message) : MISSHAPEN;
    if (result === message) return end;
    if (result !== undefined && !(result instanceof Uint8Array)) return this.#fail(bytes, at, result);
    this.#pass(bytes, at);
    this.#passedFrom = end;
    if (result !== undefined) this.emit(result);
    return end;
  }

  /** Sends on what has been passed up to here. */
  #pass(bytes: Uint8Array, upTo: number): void {
    if (upTo > this.#passedFrom) this.emit(bytes.subarray(this.#passedFrom, upTo));
    this.#passedFrom = upTo;
  }

  #fail(bytes: Uint8Array, at: number, fault: Fault): undefined {
    this.#pass(bytes, at);
    this.#fault = fault;
  }

  /**
   * The end of the stretch of whole rows, from `at`, in which nothing changes; `at` when there is none.
   * A stretch in which something might stand is read row by row, and not looked through again for each.
   */
  #untouchedRows(bytes: Uint8Array, at: number): number {
    if (at < this.#doubtfulUntil || this.handler.wantsRows()) return at;
    let end = at;
    let rows = 0;
    while (end - at < STRETCH_BYTES && bytes.length - end >= HEADER_BYTES && bytes[end] === SERVER.dataRow) {
      const total = uint32(bytes, end + 1) + 1;
      if (total < HEADER_BYTES || end + total > bytes.length) break;
      end += total;
      rows += 1;
    }
    if (!this.handler.rowsUntouched(bytes, at, end)) {
      this.#doubtfulUntil = end;
      return at;
    }
    this.handler.countedRows(rows, end - at);
    this.handler.passed(bytes.subarray(at, end));
    return end;
  }

  #believable(type: number, total: number): boolean {
    if (!KNOWN.has(type) || total < HEADER_BYTES) {
      this.#fault = { code: 'protocol', message: 'the server sent something that is no message' };
      return false;
    }
    if (total > this.limits.maxHeldBytes && !(STREAMED.has(type) && this.handler.passes(type, total))) {
      this.#fault = {
        code: 'limit',
        message: `message of ${String(total)} B from the server, limit is ${String(this.limits.maxHeldBytes)} B`,
      };
      return false;
    }
    return true;
  }

  #hold(bytes: Uint8Array, at: number): void {
    const rest = bytes.subarray(at);
    if (rest.length < HEADER_BYTES) this.#neededBytes = HEADER_BYTES;
    this.#held = [rest];
    this.#heldBytes = rest.length;
  }
}
