import type { KeeperTime } from '../../src/client/tunnels/keeper-time.js';

interface Planned {
  readonly atMs: number;
  readonly task: () => void;
}

/** Time that moves only when told; `random` is always 0.5. */
export class FakeTime implements KeeperTime {
  #nowMs = 0;
  #planned: Planned[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const planned = { atMs: this.#nowMs + delayMs, task };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned);
    };
  }

  random(): number {
    return 0.5;
  }

  /** Runs what is due, in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#planned.filter((planned) => planned.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#planned = this.#planned.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.task();
      await settle();
    }
    this.#nowMs = end;
    await settle();
  }
}

/** One turn of the event loop: every promise that could settle has. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
