/**
 * The tunnel's own framing: many streams over one ordered, reliable byte stream.
 *
 *     0      1            5             9
 *     +------+------------+-------------+-----------------+
 *     | type | stream u32 | length u32  | payload …       |
 *     +------+------------+-------------+-----------------+
 *
 * All numbers big-endian. WebSocket messages carry these bytes without meaning of their own: a frame
 * may span messages, so that a large payload is sent as it is, never copied behind its header.
 */
import type { Fault } from '../core/errors.js';

export const FRAME = {
  /** Opens a stream; empty payload. */
  open: 1,
  data: 2,
  /** The sender of this has sent everything. */
  end: 3,
  /** The stream is over at once; payload is a JSON fault or empty. */
  reset: 4,
  /** Payload u32: so many more bytes may be sent. */
  credit: 5,
  /** Payload JSON, stream 0: news from the agent to the CLI. */
  event: 6,
  /** To the CLI: this stream holds, and can be resumed with the token in the payload. */
  hold: 7,
  /** To the CLI: the hold is over. To the agent, in answer: the CLI is there. Empty payload. */
  release: 8,
  /** Opens a stream that held on a tunnel that is gone; payload a `ResumeRequest` as JSON. */
  resume: 9,
  /** The answer to that; payload `StreamCounts` as JSON. */
  resumed: 10,
} as const;

export type FrameType = (typeof FRAME)[keyof typeof FRAME];

export const HEADER_BYTES = 9;
/** A DATA frame this long or shorter; a peer that claims more has lost step. */
export const MAX_DATA_BYTES = 1 << 20;
/** Every other frame. */
export const MAX_CONTROL_BYTES = 64 * 1024;

export function encodeHeader(type: FrameType, stream: number, length: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, 0, type, stream, length);
  return header;
}

/** Writes a header at `at`. */
export function writeHeader(target: Uint8Array, at: number, type: FrameType, stream: number, length: number): void {
  target[at] = type;
  writeUint32(target, at + 1, stream);
  writeUint32(target, at + 5, length);
}

export function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) * 0x1000000 +
    (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number))
  );
}

/** What the parser hands on. DATA comes in the pieces it arrived in; control frames come whole. */
export interface FrameHandler {
  onData(stream: number, bytes: Uint8Array): void;
  onControl(type: FrameType, stream: number, payload: Uint8Array): void;
}

/** Cuts the byte stream into frames, however it was sliced. A fault is final. */
export class TunnelFrameParser {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #type = 0;
  #stream = 0;
  #remaining = 0;
  #control: Uint8Array | undefined;
  #controlFilled = 0;
  #fault: Fault | undefined;

  constructor(private readonly handler: FrameHandler) {}

  /** @returns the fault, once there was one */
  push(chunk: Uint8Array): Fault | undefined {
    let at = 0;
    while (this.#fault === undefined && at < chunk.length) {
      at = this.#headerFilled < HEADER_BYTES ? this.#fillHeader(chunk, at) : this.#fillPayload(chunk, at);
    }
    return this.#fault;
  }

  #fillHeader(chunk: Uint8Array, from: number): number {
    const count = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - from);
    for (let index = 0; index < count; index += 1)
      this.#header[this.#headerFilled + index] = chunk[from + index] as number;
    this.#headerFilled += count;
    if (this.#headerFilled === HEADER_BYTES) this.#begin();
    return from + count;
  }

  #begin(): void {
    this.#type = this.#header[0] as number;
    this.#stream = readUint32(this.#header, 1);
    this.#remaining = readUint32(this.#header, 5);
    if (this.#type < FRAME.open || this.#type > FRAME.resumed) {
      this.#fault = { code: 'protocol', message: `expected a tunnel frame of type 1 to 10, got ${String(this.#type)}` };
      return;
    }
    const limit = this.#type === FRAME.data ? MAX_DATA_BYTES : MAX_CONTROL_BYTES;
    if (this.#remaining > limit) {
      this.#fault = {
        code: 'protocol',
        message: `tunnel frame of ${String(this.#remaining)} B, limit is ${String(limit)} B`,
      };
      return;
    }
    if (this.#type !== FRAME.data) {
      this.#control = new Uint8Array(this.#remaining);
      this.#controlFilled = 0;
    }
    if (this.#remaining === 0) this.#finish();
  }

  #fillPayload(chunk: Uint8Array, from: number): number {
    const count = Math.min(this.#remaining, chunk.length - from);
    const part = chunk.subarray(from, from + count);
    this.#remaining -= count;
    if (this.#control === undefined) {
      this.handler.onData(this.#stream, part);
    } else {
      this.#control.set(part, this.#controlFilled);
      this.#controlFilled += count;
    }
    if (this.#remaining === 0) this.#finish();
    return from + count;
  }

  #finish(): void {
    this.#headerFilled = 0;
    const control = this.#control;
    this.#control = undefined;
    if (control !== undefined) this.handler.onControl(this.#type as FrameType, this.#stream, control);
  }
}
