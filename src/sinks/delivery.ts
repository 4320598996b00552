import type { SecretRef } from '../core/resources.js';
import type { SinkEvent } from '../core/sink-event.js';

/** One way to hand events over. */
export interface Delivery {
  /** How many events one `send` takes at most. */
  readonly batch: number;
  /**
   * Hands events over, in order. All of them count as taken when it resolves, none when it rejects: they come again then.
   *
   * @throws DeliveryFault where the other end said no; any other error is worth another attempt
   */
  send(events: readonly SinkEvent[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The other end answered, and did not take it. */
export class DeliveryFault extends Error {
  /**
   * @param message ours, without what the other end wrote
   * @param final these events will never be taken: they are put aside, so that they do not hold up the others
   * @param afterMs the other end asked to be left alone for so long
   */
  constructor(
    message: string,
    readonly final: boolean,
    readonly afterMs?: number,
  ) {
    super(message);
    this.name = 'DeliveryFault';
  }
}

/** What the deliveries need of the agent. */
export interface DeliveryHost {
  nowMs(): number;
  reveal(reference: SecretRef): Promise<string>;
  /** Told of what an endpoint took only a part of. */
  warn(message: string): void;
}

/** Our own words or the system's code; never what the other end wrote. */
export function whyOf(error: unknown): string {
  if (error instanceof DeliveryFault) return error.message;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
}
