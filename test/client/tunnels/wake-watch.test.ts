import { describe, expect, it } from 'vitest';
import { watchWake } from '../../../src/client/tunnels/wake-watch.js';

function watched(): {
  readonly pass: (wallMs: number, addresses?: string) => void;
  readonly woken: () => number;
  readonly off: () => void;
  readonly stopped: () => boolean;
  readonly close: () => void;
} {
  let nowMs = 0;
  let known = '192.0.2.1';
  let task: () => void = () => undefined;
  let stopped = false;
  let woken = 0;
  const watch = watchWake({
    wallMs: () => nowMs,
    addresses: () => known,
    every: (_periodMs, given) => {
      task = given;
      return () => (stopped = true);
    },
  });
  const off = watch.onWake(() => (woken += 1));
  return {
    pass: (wallMs, addresses = known) => {
      nowMs += wallMs;
      known = addresses;
      task();
    },
    woken: () => woken,
    off,
    stopped: () => stopped,
    close: () => {
      watch.close();
    },
  };
}

describe('watchWake', () => {
  it('tells of a clock that went 8 hours in one second, once, and not of one that is 3 s late', () => {
    const watch = watched();
    watch.pass(1_000);
    watch.pass(4_000);
    expect(watch.woken()).toBe(0);
    watch.pass(8 * 3_600_000);
    watch.pass(1_000);
    expect(watch.woken()).toBe(1);
  });

  it('tells of another network', () => {
    const watch = watched();
    watch.pass(1_000, '198.51.100.7');
    watch.pass(1_000);
    expect(watch.woken()).toBe(1);
  });

  it('tells nobody who has left, and stops when closed', () => {
    const watch = watched();
    watch.off();
    watch.pass(60_000);
    expect(watch.woken()).toBe(0);
    watch.close();
    expect(watch.stopped()).toBe(true);
  });

  it('reads the addresses of this machine as they are', () => {
    const watch = watchWake();
    watch.close();
  });
});
