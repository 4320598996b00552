import type { Fault } from '../core/errors.js';
import type { StreamOutlet } from './stream-outlet.js';
import { StreamReceiver } from './stream-receiver.js';
import { StreamSender } from './stream-sender.js';
import type { AcceptedStream, StreamCounts } from './stream.js';

/** News kept while there is no tunnel. */
const DETACHED_EVENTS = 16;

/** One stream of a mux. It outlives its mux while it holds: `suspend`, then `attach` on the next one. */
export class MuxStream implements AcceptedStream {
  /** Undefined while its tunnel is gone. */
  #outlet: StreamOutlet | undefined;
  readonly #sender: StreamSender;
  readonly #receiver: StreamReceiver;
  #resumeToken: string | undefined;
  /** At the agent, while it holds. */
  #unregister: (() => void) | undefined;
  #onReleased: (() => void) | undefined;
  #events: Readonly<Record<string, unknown>>[] = [];
  #closed = false;
  #endListener: (() => void) | undefined;
  #closeListener: ((fault?: Fault) => void) | undefined;
  #closeFault: Fault | undefined;

  /** @param keeps what is sent is kept until the other end has confirmed it, so that the stream can be resumed */
  constructor(outlet: StreamOutlet, keeps: boolean) {
    this.#outlet = outlet;
    this.#sender = new StreamSender(outlet, keeps, () => {
      this.#closeWhenBothEnded();
    });
    this.#receiver = new StreamReceiver({
      credit: (bytes) => {
        this.#outlet?.credit(bytes);
        return this.#outlet !== undefined;
      },
      onEnd: () => {
        this.#endListener?.();
        this.#closeWhenBothEnded();
      },
    });
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get isDetached(): boolean {
    return this.#outlet === undefined && !this.#closed;
  }

  /** For the CLI: what resumes it; undefined where it does not hold. */
  get resumeToken(): string | undefined {
    return this.#resumeToken;
  }

  get counts(): StreamCounts {
    return this.#receiver.counts;
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#receiver.onData(listener);
  }

  onDrain(listener: () => void): void {
    this.#sender.onDrain(listener);
  }

  onEnd(listener: () => void): void {
    this.#endListener = listener;
  }

  onClose(listener: (fault?: Fault) => void): void {
    this.#closeListener = listener;
    if (this.#closed) listener(this.#closeFault);
  }

  write(bytes: Uint8Array): boolean {
    return this.#closed || this.#sender.write(bytes);
  }

  pause(): void {
    this.#receiver.pause();
  }

  resume(): void {
    this.#receiver.resume();
  }

  end(): void {
    if (!this.#closed) this.#sender.end();
  }

  destroy(fault?: Fault): void {
    if (this.#closed) return;
    this.#outlet?.reset(fault);
    this.#close(fault);
  }

  sendEvent(event: Readonly<Record<string, unknown>>): void {
    if (this.#outlet !== undefined) this.#outlet.event(event);
    else if (this.#events.length < DETACHED_EVENTS) this.#events.push(event);
  }

  hold(): void {
    if (this.#closed || this.#unregister !== undefined) return;
    this.#unregister = this.#outlet?.hold();
    // Who knows the token has received what was sent before it: frames keep their order.
    if (this.#unregister !== undefined) this.#sender.keep();
  }

  release(proceed: () => void): void {
    if (this.#closed) return;
    if (this.#unregister === undefined) {
      proceed();
      return;
    }
    this.#onReleased = proceed;
    this.#outlet?.release();
  }

  /** From the mux, at the CLI: the stream holds, and this resumes it. */
  held(token: string): void {
    this.#resumeToken = token;
  }

  /** From the mux. At the CLI: the hold is over. At the agent: the CLI says that it is there. */
  released(): void {
    if (this.#resumeToken !== undefined) {
      this.#resumeToken = undefined;
      this.#outlet?.release();
      return;
    }
    // Only what was asked is answered: a CLI can't end a hold by itself.
    const proceed = this.#onReleased;
    if (proceed === undefined) return;
    this.#forgetHold();
    this.#sender.forget();
    proceed();
  }

  /**
   * From the mux: its tunnel is gone, or the CLI has come back through another one.
   *
   * @returns false for a stream that can't be resumed
   */
  suspend(): boolean {
    if (this.#closed || (this.#unregister === undefined && this.#resumeToken === undefined)) return false;
    this.#outlet?.closed();
    this.#outlet = undefined;
    this.#sender.detach();
    return true;
  }

  /**
   * Goes on through another mux: what the other end has not received is sent again, and nothing else.
   *
   * @param peer how far the other end has come
   * @param answers the other end is told first how far this one has come
   * @returns a fault where what the other end says can't be
   */
  attach(outlet: StreamOutlet, peer: StreamCounts, answers: boolean): Fault | undefined {
    const attached = this.#sender.attach(outlet, peer, () => {
      this.#outlet = outlet;
      if (answers) outlet.resumed(this.counts);
    });
    if (!attached) return { code: 'protocol', message: 'the stream can not be resumed from there' };
    for (const event of this.#events.splice(0)) outlet.event(event);
    if (this.#onReleased !== undefined) outlet.release();
    this.#receiver.returnDueCredit();
    this.#sender.pump();
    return undefined;
  }

  /** From the mux: bytes for this stream. */
  received(bytes: Uint8Array): void {
    if (!this.#closed && !this.#receiver.push(bytes))
      this.destroy({ code: 'protocol', message: 'more bytes than the credit given' });
  }

  /** From the mux: the peer takes so many bytes more. */
  granted(bytes: number): void {
    if (!this.#closed) this.#sender.granted(bytes);
  }

  linkDrained(): void {
    if (!this.#closed) this.#sender.pump();
  }

  ended(): void {
    if (!this.#closed) this.#receiver.end();
  }

  /** The peer reset the stream, or the tunnel went away. */
  lost(fault?: Fault): void {
    // A peer that had sent everything before: what the reader has not taken yet is still its own.
    if (fault === undefined && this.#receiver.hasRest) this.#sender.abandon();
    else this.#close(fault);
  }

  #forgetHold(): void {
    this.#unregister?.();
    this.#unregister = undefined;
    this.#onReleased = undefined;
  }

  #closeWhenBothEnded(): void {
    if (this.#sender.endSent && this.#receiver.endDelivered) this.#close(undefined);
  }

  #close(fault: Fault | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closeFault = fault;
    this.#forgetHold();
    this.#sender.abandon();
    this.#receiver.close();
    this.#events = [];
    this.#outlet?.closed();
    this.#closeListener?.(fault);
  }
}
