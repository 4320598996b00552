import { describe, expect, it } from 'vitest';
import { Liveness } from '../../src/tunnel/liveness.js';

const ticks = (liveness: Liveness, count: number): (string | undefined)[] =>
  Array.from({ length: count }, () => liveness.tick());

describe('Liveness', () => {
  it('asks after 15 silent ticks, and gives up when nothing has come within 10 more', () => {
    const said = ticks(new Liveness(), 26);
    expect(said.indexOf('ping')).toBe(14);
    expect(said.indexOf('dead')).toBe(25);
  });

  it('asks nothing of a peer from which something comes', () => {
    const liveness = new Liveness();
    for (let tick = 0; tick < 100; tick += 1) {
      liveness.beat();
      expect(liveness.tick()).toBeUndefined();
    }
  });

  it('takes any byte for the answer', () => {
    const liveness = new Liveness();
    ticks(liveness, 20);
    liveness.beat();
    expect(ticks(liveness, 14)).not.toContain('dead');
  });

  it('gives a doubted peer 3 ticks', () => {
    const liveness = new Liveness();
    liveness.doubt();
    expect(ticks(liveness, 4).indexOf('dead')).toBe(3);
  });

  it('does not believe bytes that may have lain here since before the doubt, but the answer itself', () => {
    const believing = new Liveness();
    believing.doubt();
    believing.beat();
    expect(ticks(believing, 4)).toContain('dead');
    const answered = new Liveness();
    answered.doubt();
    answered.beat(true);
    expect(ticks(answered, 4)).not.toContain('dead');
    const later = new Liveness();
    later.doubt();
    later.tick();
    later.beat();
    expect(ticks(later, 4)).not.toContain('dead');
  });
});
