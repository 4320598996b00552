import { coalesce } from './coalesce.js';
import {
  encodeHeader,
  FRAME,
  type FrameType,
  HEADER_BYTES,
  MAX_DATA_BYTES,
  writeHeader,
  writeUint32,
} from './frames.js';

/** The ordered byte carrier below: a WebSocket, or a pair of arrays in a test. */
export interface Link {
  /** `done` is called when the bytes left this process's buffers. */
  send(bytes: Uint8Array, done?: () => void): void;
  /** What `send` is called with by `messages` leaves in one write, where the carrier can do that. */
  together?(messages: () => void): void;
  /** Bytes not yet handed to the kernel. */
  bufferedBytes(): number;
  close(): void;
}

export interface FrameQueueOptions {
  readonly link: Link;
  /** Runs `task` after the I/O of this turn: frames of one turn leave in one write. */
  readonly schedule: (task: () => void) => void;
  /** The link has room again, after `data` said that it has none. */
  readonly onDrained: () => void;
}

/** Above this many unsent bytes every stream is asked to wait. */
const LINK_HIGH_BYTES = 2 << 20;

/** Frames on their way out, in order. */
export class FrameQueue {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #closed = false;
  #starved = false;

  constructor(private readonly options: FrameQueueOptions) {}

  /** @returns false while the link is full */
  data(stream: number, bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      const part = bytes.subarray(at, at + MAX_DATA_BYTES);
      this.#push(encodeHeader(FRAME.data, stream, part.length), part);
    }
    if (this.#pendingBytes + this.options.link.bufferedBytes() < LINK_HIGH_BYTES) return true;
    this.#starved = true;
    return false;
  }

  /** A frame without payload. */
  mark(type: FrameType, stream: number): void {
    this.#push(encodeHeader(type, stream, 0));
  }

  credit(stream: number, bytes: number): void {
    const frame = new Uint8Array(HEADER_BYTES + 4);
    writeHeader(frame, 0, FRAME.credit, stream, 4);
    writeUint32(frame, HEADER_BYTES, bytes);
    this.#push(frame);
  }

  text(type: FrameType, stream: number, text: string): void {
    const payload = new TextEncoder().encode(text);
    this.#push(encodeHeader(type, stream, payload.length), payload);
  }

  /** Sends what is queued; nothing after it. */
  close(): void {
    this.#flush();
    this.#closed = true;
  }

  #push(...parts: Uint8Array[]): void {
    if (this.#closed) return;
    for (const part of parts) {
      this.#pending.push(part);
      this.#pendingBytes += part.length;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.options.schedule(() => {
      this.#flush();
    });
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#closed || this.#pending.length === 0) return;
    const parts = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    const { link } = this.options;
    const send = (): void => {
      for (const message of coalesce(parts)) link.send(message, this.#starved ? this.#sent : undefined);
    };
    if (link.together === undefined) send();
    else link.together(send);
  }

  readonly #sent = (): void => {
    if (!this.#starved || this.options.link.bufferedBytes() > LINK_HIGH_BYTES / 2) return;
    this.#starved = false;
    this.options.onDrained();
  };
}
