import { describe, expect, it } from 'vitest';
import type { KeyName, KeyPress } from '../../src/tui/keys.js';
import { moved, scrolled, windowAround } from '../../src/tui/scrolling.js';

const key = (name: KeyName, text = ''): KeyPress => ({ name, text, alone: true });

describe('scrolling', () => {
  it('keeps the chosen row in sight and moves no more than it has to', () => {
    expect(windowAround(100, 10, 5, 0)).toEqual({ from: 0, to: 10 });
    expect(windowAround(100, 10, 12, 0)).toEqual({ from: 3, to: 13 });
    expect(windowAround(100, 10, 2, 3)).toEqual({ from: 2, to: 12 });
    expect(windowAround(4, 10, 3, 3)).toEqual({ from: 0, to: 4 });
  });

  it('moves by rows, pages and to the ends, and stays inside', () => {
    expect(moved(5, 100, 10, key('down'))).toBe(6);
    expect(moved(5, 100, 10, key('page-down'))).toBe(14);
    expect(moved(5, 100, 10, key('page-up'))).toBe(0);
    expect(moved(5, 100, 10, key('char', 'G'))).toBe(99);
    expect(moved(0, 0, 10, key('down'))).toBe(0);
    expect(moved(5, 100, 10, key('char', 'x'))).toBeUndefined();
  });

  it('scrolls a text no further than its last page', () => {
    expect(scrolled(0, 30, 10, key('end'))).toBe(20);
    expect(scrolled(19, 30, 10, key('page-down'))).toBe(20);
    expect(scrolled(0, 5, 10, key('down'))).toBe(0);
  });
});
