import { ReplayBuffer } from './replay-buffer.js';
import { type StreamOutlet, WINDOW_BYTES } from './stream-outlet.js';
import type { StreamCounts } from './stream.js';

/** What a writer may hand over while there is no tunnel; enough to see a local program hang up behind it. */
const DETACHED_BYTES = 64 * 1024;

/** The sending half of a stream: never more under way than the reader's credit. */
export class StreamSender {
  /** All sent so far, sent again or not. */
  #sent = 0;
  /** All credit that came back. */
  #granted = 0;
  #replay: ReplayBuffer | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #wantsDrain = false;
  #endAsked = false;
  #endSent = false;
  #onDrain: (() => void) | undefined;

  /**
   * @param outlet undefined while the tunnel is gone
   * @param onEndSent everything was sent
   */
  constructor(
    private outlet: StreamOutlet | undefined,
    keeps: boolean,
    private readonly onEndSent: () => void,
  ) {
    if (keeps) this.#replay = new ReplayBuffer(0);
  }

  get endSent(): boolean {
    return this.#endSent;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  /** @returns false asks the writer to wait for the drain listener */
  write(bytes: Uint8Array): boolean {
    if (this.#endAsked || bytes.length === 0) return true;
    if (this.outlet === undefined || this.#waiting.length > 0) {
      this.#wait(bytes);
      const more = this.outlet === undefined && this.#waitingBytes < DETACHED_BYTES;
      if (!more) this.#wantsDrain = true;
      return more;
    }
    const credit = this.#credit;
    const now = bytes.length <= credit ? bytes : bytes.subarray(0, credit);
    const free = now.length === 0 || this.#send(this.outlet, now);
    if (now.length < bytes.length) this.#wait(bytes.subarray(now.length));
    // At zero credit the next write would only queue: better to ask for the pause now.
    const more = free && this.#waiting.length === 0 && this.#credit > 0;
    if (!more) this.#wantsDrain = true;
    return more;
  }

  end(): void {
    if (this.#endAsked) return;
    this.#endAsked = true;
    this.#sendEndWhenFlushed();
  }

  granted(bytes: number): void {
    this.#granted += bytes;
    this.#replay?.confirm(this.#granted);
    this.pump();
  }

  /** From here on what is sent is kept, until it is confirmed or `forget` is called. */
  keep(): void {
    this.#replay = new ReplayBuffer(this.#sent);
  }

  forget(): void {
    this.#replay = undefined;
  }

  detach(): void {
    this.outlet = undefined;
  }

  /**
   * Goes on through another mux: what the other end lacks is sent again, and nothing else.
   *
   * @param begin runs before anything is sent
   * @returns false where what the other end says can't be; nothing has happened then
   */
  attach(outlet: StreamOutlet, peer: StreamCounts, begin: () => void): boolean {
    const missing = this.#replay?.from(peer.received);
    if (missing === undefined || peer.credited < this.#granted || peer.credited > peer.received) return false;
    begin();
    this.outlet = outlet;
    this.#granted = peer.credited;
    for (const bytes of missing) outlet.data(bytes);
    if (this.#endSent && !peer.ended) outlet.end();
    return true;
  }

  /** Sends what waits, as far as credit and link allow. */
  pump(): void {
    while (this.outlet !== undefined && this.#waiting.length > 0 && this.#credit > 0) {
      const head = this.#waiting[0] as Uint8Array;
      const credit = this.#credit;
      const now = head.length <= credit ? head : head.subarray(0, credit);
      this.#waitingBytes -= now.length;
      if (now.length === head.length) this.#waiting.shift();
      else this.#waiting[0] = head.subarray(now.length);
      if (!this.#send(this.outlet, now)) return;
    }
    if (this.#waiting.length > 0 || this.#credit <= 0) return;
    this.#sendEndWhenFlushed();
    if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#onDrain?.();
    }
  }

  /** Nothing more is sent: the other end has closed, or the stream is over. */
  abandon(): void {
    this.#endAsked = true;
    this.#endSent = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#replay = undefined;
  }

  get #credit(): number {
    return WINDOW_BYTES + this.#granted - this.#sent;
  }

  #send(outlet: StreamOutlet, bytes: Uint8Array): boolean {
    this.#sent += bytes.length;
    this.#replay?.push(bytes);
    return outlet.data(bytes);
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #sendEndWhenFlushed(): void {
    if (this.outlet === undefined || !this.#endAsked || this.#endSent || this.#waiting.length > 0) return;
    this.#endSent = true;
    this.outlet.end();
    this.onEndSent();
  }
}
