import { TerminalParser } from './terminal-parser.js';
import type { TerminalToken } from './terminal-parser.js';

/** A line that never ends is cut. */
const MAX_LINE_CHARS = 2000;

/**
 * What was written to a terminal, as lines of text: what a shell and its programs print. Backspaces and carriage returns
 * do what they do on the screen. Programs that draw whole screens (editors, `top`) have no lines: of them it is said
 * that they ran, no more.
 */
export class TerminalLines {
  readonly #parser = new TerminalParser();
  #line: string[] = [];
  #column = 0;
  #fullScreen = false;

  /** @returns lines that are whole now; nothing in them acts on a terminal */
  push(data: string): readonly string[] {
    const lines: string[] = [];
    for (const token of this.#parser.push(data)) this.#take(token, lines);
    return lines;
  }

  /** What stands on the line that was begun. */
  get rest(): string {
    return this.#line.join('').trimEnd();
  }

  #take(token: TerminalToken, lines: string[]): void {
    if (token.kind === 'csi' && token.params?.startsWith('?') === true) return this.#mode(token, lines);
    if (this.#fullScreen) return;
    if (token.kind === 'text') this.#print(token.text, lines);
    else if (token.kind === 'control') this.#control(token.char, lines);
    else if (token.kind === 'csi') this.#csi(token, lines);
  }

  #print(text: string, lines: string[]): void {
    for (const char of text) {
      if (this.#column >= MAX_LINE_CHARS) this.#end(lines);
      while (this.#line.length < this.#column) this.#line.push(' ');
      this.#line[this.#column] = char;
      this.#column += 1;
    }
  }

  #control(char: string, lines: string[]): void {
    if (char === '\n' || char === '\v' || char === '\f') this.#end(lines);
    else if (char === '\r') this.#column = 0;
    else if (char === '\b') this.#column = Math.max(0, this.#column - 1);
    else if (char === '\t') this.#column = Math.min(MAX_LINE_CHARS, this.#column - (this.#column % 8) + 8);
  }

  #csi({ params = '', final }: TerminalToken & { readonly kind: 'csi' }, lines: string[]): void {
    const count = Math.max(1, Math.min(Number(params.split(';')[0]) || 1, MAX_LINE_CHARS));
    if (final === 'C') this.#column = Math.min(MAX_LINE_CHARS, this.#column + count);
    else if (final === 'D') this.#column = Math.max(0, this.#column - count);
    else if (final === 'G') this.#column = count - 1;
    else if (final === 'P') this.#line.splice(this.#column, count);
    else if (final === 'K') this.#erase(params);
    else if ((final === 'H' || final === 'f' || final === 'J') && this.#line.length > 0) this.#end(lines);
  }

  #erase(params: string): void {
    if (params === '' || params === '0') this.#line.length = Math.min(this.#line.length, this.#column);
    else if (params === '1') this.#line.fill(' ', 0, this.#column + 1);
    else this.#line = [];
  }

  #mode({ params = '', final }: TerminalToken & { readonly kind: 'csi' }, lines: string[]): void {
    const alternate = params
      .slice(1)
      .split(';')
      .some((mode) => mode === '47' || mode === '1047' || mode === '1049');
    if (!alternate || (final !== 'h' && final !== 'l')) return;
    const begins = final === 'h';
    if (begins && !this.#fullScreen) {
      if (this.#line.length > 0) this.#end(lines);
      lines.push('[a program took the whole screen]');
    }
    this.#fullScreen = begins;
    this.#column = 0;
  }

  #end(lines: string[]): void {
    lines.push(this.rest);
    this.#line = [];
    this.#column = 0;
  }
}
