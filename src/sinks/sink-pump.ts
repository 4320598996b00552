import { retryPause } from '../core/retry-pause.js';
import type { SinkEvent } from '../core/sink-event.js';
import { DeliveryFault, whyOf, type Delivery } from './delivery.js';
import type { DiskQueue, QueuedLines } from './disk-queue.js';

export interface SinkPumpOptions {
  readonly queue: DiskQueue;
  readonly delivery: Delivery;
  /** 0 up to 1. */
  readonly random: () => number;
  /** Told of the first failure of a row, and of every tenth. */
  readonly onFailing: (failures: number, why: string) => void;
  /** It works again. */
  readonly onRecovered: () => void;
  /** The other end will never take these. */
  readonly onRefused: (events: readonly SinkEvent[], why: string) => void;
}

export interface SinkCounts {
  delivered: number;
  failed: number;
  refused: number;
}

/** How long a delivery may take to hear that it ends, in ms. */
const LAST_WAIT_MS = 1_000;

/** Takes events from a queue to the other end, in order, again and again until they are taken. */
export class SinkPump {
  readonly counts: SinkCounts = { delivered: 0, failed: 0, refused: 0 };
  readonly #stop = new AbortController();
  #wake: (() => void) | undefined;
  #failures = 0;
  /** Closed while something was on its way: the queue belongs to somebody else by now. */
  #left = false;
  /** Something came since the queue was looked at. */
  #news = false;
  readonly #running: Promise<void>;

  constructor(private readonly options: SinkPumpOptions) {
    this.#running = this.#run();
  }

  /** Something was put into the queue. A pause after a failure goes on. */
  wake(): void {
    this.#news = true;
    if (this.#failures === 0) this.#wake?.();
  }

  /** Lets what waits go out for `graceMs` where the other end takes it; the rest stays in the queue. */
  async close(graceMs: number): Promise<void> {
    const end = performance.now() + graceMs;
    await this.options.queue.flushed();
    this.wake();
    while (this.#failures === 0 && this.options.queue.length > 0 && performance.now() < end) await pauseOf(10);
    this.#stop.abort();
    this.#wake?.();
    // A connection that is still being made hears of no abort; nobody waits for it.
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), LAST_WAIT_MS);
    });
    this.#left = await Promise.race([this.#running.then(() => false), late]);
    clearTimeout(timer);
    await this.options.delivery.close();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#news = false;
      const batch = await this.options.queue.peek(this.options.delivery.batch);
      if (batch === undefined) await this.#sleep(undefined);
      else await this.#deliver(batch);
    }
  }

  async #deliver(batch: QueuedLines): Promise<void> {
    const { delivery, queue } = this.options;
    const events = batch.lines.flatMap(parsed);
    try {
      await delivery.send(events, this.#stop.signal);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!(error instanceof DeliveryFault) || !error.final) return this.#failed(error);
      this.counts.refused += events.length;
      this.options.onRefused(events, error.message);
      await queue.advance(batch);
      return;
    }
    if (this.#left) return;
    this.counts.delivered += events.length;
    await queue.advance(batch);
    if (this.#failures > 0) this.options.onRecovered();
    this.#failures = 0;
  }

  async #failed(error: unknown): Promise<void> {
    this.#failures += 1;
    this.counts.failed += 1;
    if (this.#failures === 1 || this.#failures % 10 === 0) this.options.onFailing(this.#failures, whyOf(error));
    const asked = error instanceof DeliveryFault ? error.afterMs : undefined;
    await this.#sleep(Math.max(asked ?? 0, retryPause(this.#failures, this.options.random())));
  }

  /** Until woken, or for so long. */
  async #sleep(ms: number | undefined): Promise<void> {
    if (this.#stop.signal.aborted || (ms === undefined && this.#news)) return;
    await new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms).unref();
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#wake = wake;
    });
    this.#wake = undefined;
  }
}

function parsed(line: string): SinkEvent[] {
  try {
    return [JSON.parse(line) as SinkEvent];
  } catch {
    // Someone else wrote into the folder: there is nothing that could be delivered.
    return [];
  }
}

function pauseOf(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
