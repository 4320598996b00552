import { describe, expect, it } from 'vitest';
import { editLine, emptyEdit } from '../../src/tui/line-edit.js';
import type { KeyName, KeyPress } from '../../src/tui/keys.js';

const key = (name: KeyName, text = ''): KeyPress => ({ name, text, alone: true });
const typed = (text: string) => [...text].map((char) => key('char', char));

function after(keys: readonly KeyPress[], text = '') {
  return keys.reduce(editLine, emptyEdit(text));
}

describe('a line being typed', () => {
  it('takes characters where the cursor is, and loses them to the left of it', () => {
    expect(after([...typed('wrng'), key('left'), key('left'), ...typed('o')])).toEqual({ text: 'wrong', cursor: 3 });
    expect(after([key('backspace')], 'abc')).toEqual({ text: 'ab', cursor: 2 });
    expect(after([key('home'), key('backspace')], 'abc')).toEqual({ text: 'abc', cursor: 0 });
  });

  it('loses a word, or all before or after the cursor', () => {
    expect(after([key('ctrl-w')], 'not during the sale ').text).toBe('not during the ');
    expect(after([key('ctrl-u')], 'all').text).toBe('');
    expect(after([key('ctrl-a'), key('ctrl-k')], 'all').text).toBe('');
  });

  it('stays one line when a text of several is pasted, and stops at 2,000 characters', () => {
    expect(after([key('paste', 'one\r\ntwo\tthree')]).text).toBe('one two three');
    expect(after([key('paste', 'x'.repeat(5_000))]).text).toHaveLength(2_000);
  });

  it('counts an emoji as one character', () => {
    expect(after([key('backspace')], 'a😀')).toEqual({ text: 'a', cursor: 1 });
  });
});
