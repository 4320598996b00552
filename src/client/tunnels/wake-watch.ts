import { networkInterfaces } from 'node:os';

/** Tells when a tunnel may have died unseen. */
export interface WakeWatch {
  /** @returns what takes the listener off again */
  onWake(listener: () => void): () => void;
  close(): void;
}

export interface WakeSources {
  /** The wall's clock in ms: unlike timers, it goes on while the machine sleeps. */
  readonly wallMs: () => number;
  /** Addresses of this machine, in an order of their own, as one text. */
  readonly addresses: () => string;
  /** @returns what ends it */
  readonly every: (periodMs: number, task: () => void) => () => void;
}

const PERIOD_MS = 1_000;
/** The clock went further than the timer by so much: the machine slept, or the process was stopped. */
const JUMP_MS = 4_000;

const SYSTEM: WakeSources = {
  wallMs: Date.now,
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((found) => found ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address }) => address)
      .toSorted()
      .join(' '),
  every: (periodMs, task) => {
    const timer = setInterval(task, periodMs).unref();
    return () => {
      clearInterval(timer);
    };
  },
};

/**
 * Watches for a sleep of the machine (the clock jumps) and for another network (its addresses change). Both leave
 * tunnels that look alive and are not, and neither tells.
 */
export function watchWake(sources: WakeSources = SYSTEM): WakeWatch {
  const listeners = new Set<() => void>();
  let lastMs = sources.wallMs();
  let known = sources.addresses();
  const stop = sources.every(PERIOD_MS, () => {
    const nowMs = sources.wallMs();
    const addresses = sources.addresses();
    const woke = nowMs - lastMs > PERIOD_MS + JUMP_MS || addresses !== known;
    lastMs = nowMs;
    known = addresses;
    if (woke) for (const listener of [...listeners]) listener();
  });
  return {
    onWake: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      stop();
      listeners.clear();
    },
  };
}
