import type { KeyPress } from './keys.js';

/** The part of a long list or text that is on the screen. */
export interface Rows {
  /** First row shown, from 0. */
  readonly from: number;
  /** One past the last. */
  readonly to: number;
}

/** The rows to show so that `chosen` is among them; moves no more than it has to. */
export function windowAround(total: number, height: number, chosen: number, before = 0): Rows {
  const rows = Math.max(1, height);
  const last = Math.max(0, total - rows);
  const from = chosen < before ? chosen : chosen >= before + rows ? chosen - rows + 1 : before;
  const start = Math.min(Math.max(0, from), last);
  return { from: start, to: Math.min(total, start + rows) };
}

/**
 * Where a key moves to in `total` rows of which `height` are seen: arrows and `j`/`k` by one, pages, ends.
 *
 * @returns undefined for a key that does not move
 */
export function moved(at: number, total: number, height: number, key: KeyPress): number | undefined {
  const to = target(at, total, Math.max(1, height - 1), key);
  return to === undefined ? undefined : Math.max(0, Math.min(total - 1, to));
}

function target(at: number, total: number, page: number, key: KeyPress): number | undefined {
  switch (key.name) {
    case 'up':
      return at - 1;
    case 'down':
      return at + 1;
    case 'page-up':
    case 'ctrl-b':
      return at - page;
    case 'page-down':
    case 'ctrl-f':
      return at + page;
    case 'home':
      return 0;
    case 'end':
      return total - 1;
    case 'char':
      return letterTarget(at, total, key.text);
    default:
      return undefined;
  }
}

function letterTarget(at: number, total: number, letter: string): number | undefined {
  switch (letter) {
    case 'k':
      return at - 1;
    case 'j':
      return at + 1;
    case 'g':
      return 0;
    case 'G':
      return total - 1;
    default:
      return undefined;
  }
}

/** Where a key scrolls a text to, by its first line; undefined for a key that does not scroll. */
export function scrolled(top: number, total: number, height: number, key: KeyPress): number | undefined {
  const last = Math.max(0, total - height);
  if (key.name === 'end' || (key.name === 'char' && key.text === 'G')) return last;
  const to = moved(Math.min(top, last), total, height, key);
  return to === undefined ? undefined : Math.min(to, last);
}
