import type { KeyPress } from './keys.js';

/** One line being typed: a filter, a reason. */
export interface LineEdit {
  readonly text: string;
  /** Where the next character goes, counted in characters from 0. */
  readonly cursor: number;
}

/** Longest line taken, in characters; what comes after it is dropped. */
const MAX_LENGTH = 2_000;

export function emptyEdit(text = ''): LineEdit {
  return { text, cursor: [...text].length };
}

/** The line after a key; the same object where the key means nothing to a line. Enter, Escape and Tab are the screen's. */
export function editLine(edit: LineEdit, key: KeyPress): LineEdit {
  const characters = [...edit.text];
  const { cursor } = edit;
  switch (key.name) {
    case 'char':
    case 'paste':
      return insert(characters, cursor, key.text);
    case 'backspace':
      return cursor === 0 ? edit : cut(characters, cursor - 1, cursor);
    case 'ctrl-u':
      return cut(characters, 0, cursor);
    case 'ctrl-k':
      return cut(characters, cursor, characters.length);
    case 'ctrl-w': {
      const before = characters.slice(0, cursor).join('');
      return cut(characters, [...before.replace(/\S*\s*$/, '')].length, cursor);
    }
    case 'left':
      return { text: edit.text, cursor: Math.max(0, cursor - 1) };
    case 'right':
      return { text: edit.text, cursor: Math.min(characters.length, cursor + 1) };
    case 'home':
    case 'ctrl-a':
      return { text: edit.text, cursor: 0 };
    case 'end':
    case 'ctrl-e':
      return { text: edit.text, cursor: characters.length };
    default:
      return edit;
  }
}

function insert(characters: readonly string[], cursor: number, text: string): LineEdit {
  // A line stays one: what a pasted text has of line ends is a space here.
  const added = [...text.replace(/[\r\n\t]+/g, ' ')].slice(0, Math.max(0, MAX_LENGTH - characters.length));
  const whole = [...characters.slice(0, cursor), ...added, ...characters.slice(cursor)];
  return { text: whole.join(''), cursor: cursor + added.length };
}

function cut(characters: readonly string[], from: number, to: number): LineEdit {
  return { text: [...characters.slice(0, from), ...characters.slice(to)].join(''), cursor: from };
}
