import type { Key } from 'ink';
import { describe, expect, it } from 'vitest';
import { KeyReader, type KeyPress } from '../../src/tui/keys.js';

const none = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
} as Key;

function read(...bursts: readonly (readonly [string, Partial<Key>?])[]): readonly KeyPress[] {
  const reader = new KeyReader();
  return bursts.flatMap(([input, key = {}]) => reader.read(input, { ...none, ...key }));
}

describe('keys', () => {
  it('name what has a name, and give the character of what prints', () => {
    expect(read(['', { upArrow: true }], ['a'], ['c', { ctrl: true }], ['', { return: true }])).toEqual([
      { name: 'up', text: '', alone: true },
      { name: 'char', text: 'a', alone: true },
      { name: 'ctrl-c', text: '', alone: true },
      { name: 'enter', text: '', alone: true },
    ]);
  });

  it('take a burst apart in order, and none of its keys came alone', () => {
    expect(read(['ay\r'])).toEqual([
      { name: 'char', text: 'a', alone: false },
      { name: 'char', text: 'y', alone: false },
      { name: 'enter', text: '', alone: false },
    ]);
  });

  it('take marked pastes as one key, whatever keys are in them', () => {
    const bursts = [['[200~'], ['ay'], ['', { return: true }], ['b'], ['[201~'], ['z']] as const;
    expect(read(...bursts)).toEqual([
      { name: 'paste', text: 'ay\nb', alone: false },
      { name: 'char', text: 'z', alone: true },
    ]);
  });

  it('drop Alt with a letter: it is no letter', () => {
    expect(read(['a', { meta: true }])).toEqual([]);
  });
});
