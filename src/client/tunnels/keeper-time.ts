/** The outside world of a keeper; tests pass their own, so that nothing sleeps. */
export interface KeeperTime {
  /** Milliseconds, from any fixed point. */
  nowMs(): number;
  /** Runs the task once, later; returns what takes it back. */
  after(delayMs: number, task: () => void): () => void;
  /** From 0 up to 1. */
  random(): number;
}

/** This machine's own. */
export const SYSTEM_TIME: KeeperTime = {
  nowMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
  random: Math.random,
};
