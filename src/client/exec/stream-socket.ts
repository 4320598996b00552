import { Duplex } from 'node:stream';
import { HoopError, type Fault } from '../../core/errors.js';
import type { TunnelStream } from '../../tunnel/stream.js';

/**
 * A tunnel stream in the shape of the socket that the `pg` driver wants: a one-shot run needs no
 * local port, so it opens none. Make it in the turn in which the stream was opened.
 */
export class StreamSocket extends Duplex {
  #waitingWrite: (() => void) | undefined;

  constructor(private readonly stream: TunnelStream) {
    super();
    stream.onData((bytes) => {
      if (!this.push(bytes)) stream.pause();
    });
    stream.onDrain(() => {
      const resume = this.#waitingWrite;
      this.#waitingWrite = undefined;
      resume?.();
    });
    stream.onEnd(() => {
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

  setNoDelay(): this {
    return this;
  }

  override _read(): void {
    this.stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.stream.write(chunk)) done();
    else this.#waitingWrite = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.stream.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.stream.destroy();
    done(error);
  }

  #closed(fault: Fault | undefined): void {
    if (this.destroyed) return;
    if (fault === undefined) this.push(null);
    else this.destroy(HoopError.fromFault(fault));
  }
}
