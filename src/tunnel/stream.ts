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
