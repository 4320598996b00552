import type { Fault } from '../core/errors.js';

/**
 * One byte stream of a tunnel, both ways, with backpressure. Listeners are set once, before bytes
 * can arrive (in the turn in which the stream was opened or accepted).
 */
export interface TunnelStream {
  /** False asks the caller to wait for the drain listener; the bytes are taken all the same. */
  write(bytes: Uint8Array): boolean;
  onData(listener: (bytes: Uint8Array) => void): void;
  onDrain(listener: () => void): void;
  /** The other side has sent everything. */
  onEnd(listener: () => void): void;
  /** Always the last call, exactly once; a fault when the stream did not end in good order. */
  onClose(listener: (fault?: Fault) => void): void;
  pause(): void;
  resume(): void;
  /** This side has sent everything; what the other side sends still arrives. */
  end(): void;
  destroy(fault?: Fault): void;
}

/** The agent's side of a stream: it knows where the news of its session goes, and may hold. */
export interface AcceptedStream extends TunnelStream {
  /** News for the CLI at the other end; kept, a few of them, while its tunnel is gone. */
  sendEvent(event: Readonly<Record<string, unknown>>): void;
  /** From here to `release` a broken tunnel does not end the stream: the CLI may resume it. */
  hold(): void;
  /**
   * Ends the hold. `proceed` runs once the CLI has said that it is there; never where it does not come back, in
   * which case `onClose` tells.
   */
  release(proceed: () => void): void;
}

/** How far one end of a stream has come: what the other needs to go on from there. Bytes, from the stream's begin. */
export interface StreamCounts {
  readonly received: number;
  /** Bytes that the other end may send again for those it has sent. */
  readonly credited: number;
  /** Has the other end said that it has sent everything? */
  readonly ended: boolean;
}
