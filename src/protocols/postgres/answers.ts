/**
 * Reads what the server sends, message by message, and says what the client gets.
 *
 * Two speeds: where nothing can be masked in a result, its rows are only counted and move on in the
 * chunks they came in, however large one row is. Where a mask may apply, whole rows are held, and
 * stretches of rows in which the scanner is certain to find nothing still move as they are.
 */
import { concatBytes } from '../../core/bytes.js';
import type { Fault } from '../../core/errors.js';
import { HEADER_BYTES, SERVER, typeSet, uint32 } from './frames.js';
import type { Handled, ResultHandler } from './result-handler.js';
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
    let runFrom = 0;
    let at = 0;
    const passed = (upTo: number): void => {
      if (upTo > runFrom) this.emit(bytes.subarray(runFrom, upTo));
    };
    while (at < bytes.length) {
      if (this.#passing > 0) {
        const count = Math.min(this.#passing, bytes.length - at);
        this.#passing -= count;
        at += count;
        continue;
      }
      if (bytes.length - at < HEADER_BYTES) break;
      const type = bytes[at] as number;
      const total = uint32(bytes, at + 1) + 1;
      if (!this.#believable(type, total)) break;
      const streamed = STREAMED.has(type) && this.handler.passes(type, total);
      if (streamed) {
        this.handler.countedRows(1, total);
        this.#passing = Math.max(0, at + total - bytes.length);
        at = Math.min(at + total, bytes.length);
        continue;
      }
      if (at + total > bytes.length) {
        this.#neededBytes = total;
        break;
      }
      const stretch = STREAMED.has(type)
        ? this.handler.maskedStretch(type, bytes, at, MIN_MASKED_STRETCH_BYTES)
        : undefined;
      if (stretch !== undefined) {
        if ('code' in stretch) {
          passed(at);
          this.#fault = stretch;
          return;
        }
        if (stretch.parts !== undefined) {
          passed(at);
          for (const part of stretch.parts) this.emit(part);
          runFrom = stretch.end;
        }
        at = stretch.end;
        continue;
      }
      const end = type === SERVER.dataRow ? this.#untouchedRows(bytes, at) : at;
      if (end > at) {
        at = end;
        continue;
      }
      const message = bytes.subarray(at, at + total);
      const result = wellShaped(type, message) ? this.handler.message(type, message) : MISSHAPEN;
      at += total;
      if (result !== message) {
        passed(at - total);
        runFrom = at;
        if (result instanceof Uint8Array) this.emit(result);
        else if (result !== undefined) {
          this.#fault = result;
          return;
        }
      }
    }
    passed(at);
    if (at < bytes.length && this.#fault === undefined) this.#hold(bytes, at);
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
