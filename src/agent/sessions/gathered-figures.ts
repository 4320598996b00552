import { Counter, Histogram, type Registry } from 'prom-client';

/** Observations of one connection that wait at most. */
const MAX_WAITING = 256;

interface Named {
  readonly name: string;
  readonly help: string;
  readonly registry: Registry;
}

/**
 * How many statements, by connection and what was decided. The registry takes a microsecond to count one; these are added up
 * here, and told to it when it is asked.
 */
export class DecidedCounts {
  readonly #counts = new Map<string, Map<string, number>>();

  constructor({ name, help, registry }: Named) {
    const counts = this.#counts;
    new Counter({
      ...{ name, help, labelNames: ['connection', 'action'], registers: [registry] },
      collect() {
        this.reset();
        for (const [connection, actions] of counts)
          for (const [action, count] of actions) this.inc({ connection, action }, count);
      },
    });
  }

  /** What one connection counts into: its name is looked up once. */
  of(connection: string): (action: string) => void {
    const actions = this.#counts.get(connection) ?? new Map<string, number>();
    this.#counts.set(connection, actions);
    return (action) => {
      actions.set(action, (actions.get(action) ?? 0) + 1);
    };
  }
}

/** How long they took, in seconds, by connection: worked in some at a time, or when the registry is asked. */
export class GatheredSeconds {
  readonly #waiting = new Map<string, number[]>();
  readonly #seconds: Histogram<'connection'>;

  constructor({ name, help, registry, buckets }: Named & { readonly buckets: number[] }) {
    const collect = (): void => {
      for (const [connection, waiting] of this.#waiting) this.#work(connection, waiting);
    };
    this.#seconds = new Histogram({ name, help, labelNames: ['connection'], buckets, registers: [registry], collect });
  }

  /** What one connection tells its durations to. */
  of(connection: string): (seconds: number) => void {
    const waiting = this.#waiting.get(connection) ?? [];
    this.#waiting.set(connection, waiting);
    return (seconds) => {
      waiting.push(seconds);
      if (waiting.length >= MAX_WAITING) this.#work(connection, waiting);
    };
  }

  #work(connection: string, waiting: number[]): void {
    for (const seconds of waiting) this.#seconds.observe({ connection }, seconds);
    waiting.length = 0;
  }
}
