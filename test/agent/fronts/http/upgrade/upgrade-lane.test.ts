import { describe, expect, it } from 'vitest';
import { MessageLane, type Relaying } from '../../../../../src/agent/fronts/http/upgrade/upgrade-lane.js';

/** A lane whose messages beginning with `slow` are looked at until they are let go. */
function laneOf() {
  const passed: string[] = [];
  const going: (() => void)[] = [];
  let idle = 0;
  const lane = new MessageLane({
    look: (data) => {
      const text = data.toString();
      const on: Relaying = { on: [data] };
      if (text === 'broken') throw new Error('broken');
      if (!text.startsWith('slow')) return on;
      return new Promise((resolve, reject) =>
        going.push(() => {
          if (text === 'slow broken') reject(new Error('broken'));
          else resolve(on);
        }),
      );
    },
    pass: (relaying) => passed.push('code' in relaying ? 'stop' : relaying.on.map(String).join()),
    failed: () => ({ code: 1011, reason: '' }),
    idle: () => (idle += 1),
  });
  const push = (...texts: string[]): void => {
    for (const text of texts) lane.push(Buffer.from(text), false);
  };
  return { lane, push, passed, idle: () => idle, go: () => going.shift()?.() };
}

describe('messages of one side', () => {
  it('go on at once, and behind one that takes its time in their order', async () => {
    const { push, passed, go, idle } = laneOf();
    push('a', 'slow b', 'c', 'slow d', 'e');
    expect(passed).toEqual(['a']);
    go();
    await expect.poll(() => passed).toEqual(['a', 'slow b', 'c']);
    push('f');
    go();
    await expect.poll(() => passed).toEqual(['a', 'slow b', 'c', 'slow d', 'e', 'f']);
    expect(idle()).toBe(1);
    push('g');
    expect(passed.at(-1)).toBe('g');
  });

  it('end the stream where they can not be looked at, now or later', async () => {
    const { push, passed, go } = laneOf();
    push('broken', 'slow broken');
    go();
    await expect.poll(() => passed).toEqual(['stop', 'stop']);
  });

  it('are full above 1 MiB that waits, and not any more once they are through', async () => {
    const { lane, push, go } = laneOf();
    push('slow', 'x'.repeat(1 << 20));
    expect(lane.full).toBe(true);
    go();
    await expect.poll(() => lane.full).toBe(false);
  });

  it('let what comes at the end wait for them', async () => {
    const { lane, push, passed, go } = laneOf();
    const end = (): void => void passed.push('end');
    push('slow', 'a');
    lane.whenIdle(end);
    go();
    await expect.poll(() => passed).toEqual(['slow', 'a', 'end']);
    lane.whenIdle(end);
    expect(passed.at(-1)).toBe('end');
  });
});
