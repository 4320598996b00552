import type { Fault } from '../core/errors.js';
import type { StreamCounts } from './stream.js';

/** What a stream needs of its mux. */
export interface StreamOutlet {
  /** @returns false while the link is full */
  data(bytes: Uint8Array): boolean;
  end(): void;
  reset(fault?: Fault): void;
  credit(bytes: number): void;
  event(event: Readonly<Record<string, unknown>>): void;
  /** Tells the CLI the token that resumes the stream; returns what forgets it, undefined where it can't be resumed. */
  hold(): (() => void) | undefined;
  release(): void;
  resumed(counts: StreamCounts): void;
  /** The mux need not know the stream any more. */
  closed(): void;
}

/** Bytes that may be under way to one reader: covers 1 GB/s at a quarter of a millisecond, 40 MB/s at 6 ms. */
export const WINDOW_BYTES = 256 * 1024;
