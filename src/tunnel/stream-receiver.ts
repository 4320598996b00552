import { KeptChunks } from '../core/bytes.js';
import { WINDOW_BYTES } from './stream-outlet.js';
import type { StreamCounts } from './stream.js';

/** What a receiver does outside of itself. */
export interface ReceiverOutlet {
  /** @returns false where there is no tunnel to send it through: it is asked again later */
  credit(bytes: number): boolean;
  onEnd(): void;
}

/** The receiving half of a stream: hands bytes on as the reader takes them, and gives credit back for them. */
export class StreamReceiver {
  #received = 0;
  #credited = 0;
  #paused = false;
  readonly #held = new KeptChunks();
  #consumed = 0;
  #endReceived = false;
  #endDelivered = false;
  #closed = false;
  #onData: ((bytes: Uint8Array) => void) | undefined;

  constructor(private readonly outlet: ReceiverOutlet) {}

  get counts(): StreamCounts {
    return { received: this.#received, credited: this.#credited, ended: this.#endReceived };
  }

  get endDelivered(): boolean {
    return this.#endDelivered;
  }

  /** Everything has come, and not all of it was taken. */
  get hasRest(): boolean {
    return this.#endReceived && !this.#endDelivered;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#onData = listener;
    this.#deliver();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#deliver();
    // Credit that was due when the reader paused: without this both ends would wait for each other.
    this.returnDueCredit();
  }

  /** @returns false for a peer that sends past its credit: it would fill our memory */
  push(bytes: Uint8Array): boolean {
    if (this.#endReceived) return true;
    this.#received += bytes.length;
    if (!this.#paused && this.#held.length === 0 && this.#onData !== undefined) {
      this.#hand(bytes);
      return true;
    }
    this.#held.push(bytes);
    return this.#held.length <= 2 * WINDOW_BYTES;
  }

  end(): void {
    this.#endReceived = true;
    this.#deliver();
  }

  close(): void {
    this.#closed = true;
    this.#held.clear();
  }

  returnDueCredit(): void {
    // A paused reader is full: its credit waits until it resumes.
    if (this.#closed || this.#paused || this.#consumed < WINDOW_BYTES / 2) return;
    const bytes = this.#consumed;
    if (!this.outlet.credit(bytes)) return;
    this.#credited += bytes;
    this.#consumed = 0;
  }

  #deliver(): void {
    while (!this.#paused && this.#held.length > 0 && this.#onData !== undefined) {
      this.#hand(this.#held.shift() as Uint8Array);
    }
    if (this.hasRest && this.#held.length === 0 && !this.#closed) {
      this.#endDelivered = true;
      this.outlet.onEnd();
    }
  }

  #hand(bytes: Uint8Array): void {
    this.#onData?.(bytes);
    this.#consumed += bytes.length;
    this.returnDueCredit();
  }
}
