import { concatBytes } from '../../core/bytes.js';
import type { Fault } from '../../core/errors.js';
import type { TunnelStream } from '../../tunnel/stream.js';

/** Longest opening of a local client that is kept, in bytes. */
const MAX_OPENING_BYTES = 64 * 1024;
/** A tunnel that breaks each time a stream opens on it is no reason to go on for ever. */
const MAX_OPENINGS = 3;

export interface SteadyOptions {
  /** A stream on the next tunnel, as soon as there is one. */
  readonly reopen: () => Promise<TunnelStream>;
  /** May what a client has sent so far be sent once more, though it may have reached the agent? */
  readonly mayRepeat: (sent: Uint8Array) => boolean;
}

/**
 * A stream that is opened again on the next tunnel when its own breaks, as long as nothing has come back, and what the
 * client has sent so far does the same however often it arrives. After that it is the stream as it is.
 */
export function steadyStream(first: TunnelStream, options: SteadyOptions): TunnelStream {
  return new SteadyStream(first, options);
}

class SteadyStream implements TunnelStream {
  #stream: TunnelStream;
  /** What the client has sent; undefined once it can't be sent again. */
  #sent: Uint8Array[] | undefined = [];
  #sentBytes = 0;
  #openings = 1;
  /** Between two streams. */
  #waiting = false;
  #ended = false;
  #destroyed = false;
  #paused = false;
  #onData: (bytes: Uint8Array) => void = () => undefined;
  #onDrain: () => void = () => undefined;
  #onEnd: () => void = () => undefined;
  #onClose: (fault?: Fault) => void = nobody;

  constructor(
    first: TunnelStream,
    private readonly options: SteadyOptions,
  ) {
    this.#stream = first;
    this.#join(first);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#sent !== undefined) {
      this.#sent.push(bytes);
      this.#sentBytes += bytes.length;
      if (this.#waiting) return true;
      if (this.#sentBytes > MAX_OPENING_BYTES) this.#sent = undefined;
    }
    return this.#stream.write(bytes);
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#onData = listener;
  }

  onDrain(listener: () => void): void {
    this.#onDrain = listener;
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  onClose(listener: (fault?: Fault) => void): void {
    this.#onClose = listener;
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#stream.resume();
  }

  end(): void {
    this.#ended = true;
    this.#stream.end();
  }

  destroy(fault?: Fault): void {
    this.#destroyed = true;
    if (this.#waiting) this.#close(fault);
    else this.#stream.destroy(fault);
  }

  #join(stream: TunnelStream): void {
    stream.onData((bytes) => {
      this.#sent = undefined;
      this.#onData(bytes);
    });
    stream.onDrain(() => {
      this.#onDrain();
    });
    stream.onEnd(() => {
      this.#sent = undefined;
      this.#onEnd();
    });
    stream.onClose((fault) => {
      if (fault?.code === 'unreachable' && this.#mayReopen()) this.#reopen(fault);
      else this.#close(fault);
    });
  }

  #mayReopen(): boolean {
    if (this.#sent === undefined || this.#destroyed || this.#ended || this.#openings >= MAX_OPENINGS) return false;
    return this.options.mayRepeat(concatBytes(this.#sent));
  }

  #reopen(fault: Fault): void {
    this.#waiting = true;
    this.#openings += 1;
    // A turn later: while a tunnel tells its streams that it broke, its keeper has not heard of it yet.
    Promise.resolve()
      .then(this.options.reopen)
      .then(
        (stream) => {
          this.#waiting = false;
          if (this.#destroyed) {
            stream.destroy();
            return;
          }
          this.#stream = stream;
          this.#join(stream);
          if (this.#paused) stream.pause();
          for (const bytes of this.#sent ?? []) stream.write(bytes);
          if (this.#ended) stream.end();
        },
        () => {
          this.#waiting = false;
          this.#close(fault);
        },
      );
  }

  #close(fault: Fault | undefined): void {
    this.#sent = undefined;
    const told = this.#onClose;
    this.#onClose = nobody;
    told(fault);
  }
}

/** Listens where nobody does. */
function nobody(): void {}
