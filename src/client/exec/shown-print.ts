import { escapeControls } from '../../core/display.js';
import type { Print } from './result-writer.js';

/** Text of several lines that nothing in it can make the terminal do anything by. */
export function shown(text: string): string {
  return escapeControls(text.replaceAll('\r\n', '\n'), { keepNewlines: true });
}

/** Prints to a terminal, as it comes, what a database or server has sent; bytes are read as UTF-8. */
export function shownPrint(print: Print): Print {
  const decoder = new TextDecoder();
  return (part) => {
    print(shown(typeof part === 'string' ? part : decoder.decode(part, { stream: true })));
  };
}
