import { Duplex } from 'node:stream';
import { HoopError, type Fault } from '../core/errors.js';
import type { AcceptedStream, TunnelStream } from './stream.js';

/**
 * A tunnel stream in the shape of a socket, as far as the `pg` driver and node:http, both its client and its
 * server, need one. Make it in the turn in which the stream was opened or accepted.
 */
export class StreamSocket extends Duplex {
  #waitingWrite: (() => void) | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(private readonly stream: TunnelStream & Partial<Pick<AcceptedStream, 'hold' | 'release'>>) {
    // What a reader does not take at once waits in the stream, which keeps it by its bytes and not by how it was cut.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
    stream.onData((bytes) => {
      this.#idleTimer?.refresh();
      if (!this.push(bytes)) stream.pause();
    });
    stream.onDrain(() => {
      const resume = this.#waitingWrite;
      this.#waitingWrite = undefined;
      resume?.();
    });
    stream.onEnd(() => {
      this.#ended = true;
      this.push(null);
    });
    stream.onClose((fault) => {
      this.#closed(fault);
    });
  }

  /** The stream is open already: says so as a socket would, in a later turn. */
  connect(): this {
    setImmediate(() => this.emit('connect'));
    return this;
  }

  /** Emits `timeout` after so many ms without a byte either way, and does nothing else; 0 ends that. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    if (timeoutMs > 0 && !this.destroyed) {
      this.#idleTimer = setTimeout(() => this.emit('timeout'), timeoutMs).unref();
      if (listener !== undefined) this.once('timeout', listener);
    } else if (listener !== undefined) {
      this.off('timeout', listener);
    }
    return this;
  }

  /** As of the stream: at the agent, a broken tunnel does not end what holds. */
  hold(): void {
    this.stream.hold?.();
  }

  /** As of the stream. */
  release(proceed: () => void): void {
    if (this.stream.release === undefined) proceed();
    else this.stream.release(proceed);
  }

  /** Frames of a turn leave together, and at once: there is nothing to delay. */
  setNoDelay(): this {
    return this;
  }

  /** The tunnel looks after its own life. */
  setKeepAlive(): this {
    return this;
  }

  /** A stream keeps no process alive; its tunnel does. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Ends this side, and both once everything written was handed to the tunnel. */
  destroySoon(): void {
    if (!this.writableEnded) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    this.stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#idleTimer?.refresh();
    if (this.stream.write(chunk)) done();
    else this.#waitingWrite = done;
  }

  /** What was written in one turn goes as one: node:http writes a chunk's size, its bytes and its end by themselves. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(chunks.length === 1 ? (chunks[0] as { chunk: Buffer }).chunk : joined(chunks), 'binary', done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idleTimer);
    this.stream.destroy();
    done(error);
  }

  #closed(fault: Fault | undefined): void {
    if (this.destroyed) return;
    if (fault !== undefined) this.destroy(HoopError.fromFault(fault));
    else if (this.#ended) this.push(null);
    // An answer that was cut must not look like one that is complete.
    else this.destroy(Object.assign(new Error('the other side broke off the stream'), { code: 'ECONNRESET' }));
  }
}

function joined(chunks: readonly { readonly chunk: Buffer }[]): Buffer {
  return Buffer.concat(chunks.map(({ chunk }) => chunk));
}
