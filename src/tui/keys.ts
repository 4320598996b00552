import { useInput, type Key } from 'ink';
import { useRef } from 'react';

/** A key as screens know it: a name of its own, `ctrl-x`, or `char` for what is printed. */
export type KeyName =
  | 'up'
  | 'down'
  | 'left'
  | 'right'
  | 'page-up'
  | 'page-down'
  | 'home'
  | 'end'
  | 'enter'
  | 'escape'
  | 'tab'
  | 'backspace'
  | 'char'
  | 'paste'
  | `ctrl-${string}`;

export interface KeyPress {
  readonly name: KeyName;
  /** What `char` and `paste` would write; empty for the others. */
  readonly text: string;
  /**
   * It came on its own: nothing else was in the same burst of input. Pasted text that a terminal does not mark
   * comes in one burst, so a key that decides something counts only alone.
   */
  readonly alone: boolean;
}

/** What terminals send around pasted text once asked to; Ink has taken the escape character off. */
const PASTE_BEGINS = '[200~';
const PASTE_ENDS = '[201~';

const FLAGS: readonly (readonly [keyof Key, KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'page-up'],
  ['pageDown', 'page-down'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  // Most terminals send DEL for the backspace key, and Ink calls that `delete`.
  ['delete', 'backspace'],
];

/**
 * Takes one burst of input apart into keys. Keys typed fast, or sent late by a slow line, come in one burst; what the
 * terminal marked as pasted is one key.
 */
export class KeyReader {
  #pasted: string | undefined;

  read(input: string, key: Key): readonly KeyPress[] {
    if (input === PASTE_BEGINS) {
      this.#pasted = '';
      return [];
    }
    if (input === PASTE_ENDS) {
      const text = this.#pasted ?? '';
      this.#pasted = undefined;
      return text === '' ? [] : [{ name: 'paste', text, alone: false }];
    }
    if (this.#pasted !== undefined) {
      this.#pasted += key.return ? '\n' : input;
      return [];
    }
    return pressesOf(input, key);
  }
}

function pressesOf(input: string, key: Key): readonly KeyPress[] {
  const named = FLAGS.find(([flag]) => key[flag]);
  if (named !== undefined) return [{ name: named[1], text: '', alone: true }];
  if (key.ctrl) return input === '' ? [] : [{ name: `ctrl-${input}`, text: '', alone: true }];
  if (key.meta || input === '') return [];
  const characters = [...input];
  return characters.map((text) => characterPress(text, characters.length === 1));
}

function characterPress(text: string, alone: boolean): KeyPress {
  if (text === '\r' || text === '\n') return { name: 'enter', text: '', alone };
  if (text === '\t') return { name: 'tab', text: '', alone };
  if (text === '\u007f' || text === '\b') return { name: 'backspace', text: '', alone };
  const code = text.codePointAt(0) ?? 0;
  if (code < 0x20) return { name: `ctrl-${String.fromCharCode(code + 0x60)}`, text: '', alone };
  return { name: 'char', text, alone };
}

/** Hands each key to the screen, in order. Once a screen, at its root: what a key means is the screen's state to say. */
export function useKeys(onKey: (key: KeyPress) => void): void {
  const reader = useRef(new KeyReader());
  useInput((input, key) => {
    for (const press of reader.current.read(input, key)) onKey(press);
  });
}
