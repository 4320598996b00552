import { TerminalParser } from './terminal-parser.js';
import type { TerminalToken } from './terminal-parser.js';

/** Moves, erases, inserts, scrolls, colours: what happens on the screen and nowhere else. */
const CSI_FINALS = new Set('@ABCDEFGHIJKLMPSTXZ`abdefgmrsu');
/** Of the modes without a mark that one which draws: insert. Others lock the keyboard, echo it, change what Enter sends. */
const INSERT_MODE = /^4$/;
/** Origin, wrap, cursor shown, alternate screen. Not those that change what keys, mouse and paste send. */
const MODES = new Set(['6', '7', '25', '47', '1047', '1048', '1049']);
/** Save, restore, index, next line, tab stop, reverse index. */
const ESCAPE_FINALS = new Set('78DEHM');
const CONTROLS = new Set(['\n', '\r', '\t', '\b', '\v', '\f', '\u000e', '\u000f']);
/** Longer numbers have no use on a screen and cost a terminal time. */
const HUGE = /\d{5}/;

/** What leaves a terminal as it was: colours, wrap, origin, insert mode, scroll region, character set, cursor; then the screen. */
const RESTORED = '\u001b[0m\u001b[?7h\u001b[?6l\u001b[4l\u001b[r\u001b(B\u000f\u001b[?25h';

/**
 * What was written to a terminal, without whatever would act beyond its screen: no title, clipboard, link, bell, answer
 * to a question, printing, resizing, change of keyboard or mouse. Keeps what draws, so that it may be written to the
 * reader's own terminal.
 *
 * Allows what is known to draw, and drops all else.
 */
export class TerminalFilter {
  readonly #parser = new TerminalParser();
  #alternate = false;

  push(data: string): string {
    let kept = '';
    for (const token of this.#parser.push(data)) kept += this.#keep(token);
    return kept;
  }

  /** To be written last: gives the reader's terminal back as it was. */
  end(): string {
    return `${RESTORED}${this.#alternate ? '\u001b[?1049l' : ''}`;
  }

  #keep(token: TerminalToken): string {
    switch (token.kind) {
      case 'text':
        return token.text;
      case 'control':
        return CONTROLS.has(token.char) ? token.char : '';
      case 'escape':
        return escape(token.intermediate, token.final);
      case 'csi':
        return token.params === undefined || HUGE.test(token.params) ? '' : this.#csi(token.params, token.final);
    }
  }

  #csi(params: string, final: string): string {
    const mark = /^[<-?]/.exec(params)?.[0] ?? '';
    if (mark === '?' && (final === 'h' || final === 'l')) return this.#modes(params.slice(1), final);
    if (mark === '' && (final === 'h' || final === 'l')) return INSERT_MODE.test(params) ? `\u001b[4${final}` : '';
    // `3J` forgets what the reader has above the screen.
    if (mark !== '' || !CSI_FINALS.has(final) || (final === 'J' && params.split(';').includes('3'))) return '';
    return `\u001b[${params}${final}`;
  }

  #modes(params: string, final: string): string {
    const kept = params.split(';').filter((mode) => MODES.has(mode));
    if (kept.some((mode) => mode.endsWith('47') || mode === '1049')) this.#alternate = final === 'h';
    return kept.length === 0 ? '' : `\u001b[?${kept.join(';')}${final}`;
  }
}

function escape(intermediate: string, final: string): string {
  if (intermediate === '') {
    // A full reset would reach settings of the reader's: what it does to the screen is kept.
    if (final === 'c') return '\u001b[0m\u001b[r\u001b[H\u001b[2J';
    return ESCAPE_FINALS.has(final) ? `\u001b${final}` : '';
  }
  const charset = (intermediate === '(' || intermediate === ')') && (final === 'B' || final === '0' || final === 'A');
  return charset ? `\u001b${intermediate}${final}` : '';
}
