/** One thing that a terminal is told. Strings to the terminal itself (titles, clipboard, links) are none: they are dropped. */
export type TerminalToken =
  | { readonly kind: 'text'; readonly text: string }
  /** One of C0. */
  | { readonly kind: 'control'; readonly char: string }
  /** `ESC [ params final`; `params` holds digits, `;`, `:` and a private mark, or is undefined where it holds more. */
  | { readonly kind: 'csi'; readonly params: string | undefined; readonly final: string }
  /** `ESC x`, or `ESC ( x` with an intermediate. */
  | { readonly kind: 'escape'; readonly intermediate: string; readonly final: string };

type State = 'ground' | 'escape' | 'csi' | 'string' | 'string-escape';

/** No sequence that does something on a screen is longer. */
const MAX_PARAMS_CHARS = 256;
const PARAMS = /^[<-?]?[0-9;:]*$/;
/** OSC, DCS, SOS, PM and APC, behind ESC and as one C1 character. */
const STRINGS = new Set([']', 'P', 'X', '^', '_', '\u009d', '\u0090', '\u0098', '\u009e', '\u009f']);
/** Characters that change how others are shown, or are not shown themselves; not those that join letters and emoji. */
const INVISIBLE = /(?![\u200c\u200d\ufe0e\ufe0f])[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const ASCII = /^[\x20-\x7e]*$/;

/**
 * Cuts what was written to a terminal into text, controls and sequences, however the recording sliced it. Never fails:
 * what is no sequence is dropped.
 *
 * @see https://vt100.net/emu/dec_ansi_parser
 */
export class TerminalParser {
  #state: State = 'ground';
  #params = '';
  #intermediate = '';

  push(data: string): readonly TerminalToken[] {
    const tokens: TerminalToken[] = [];
    let start = 0;
    for (let at = 0; at < data.length; at += 1) {
      const code = data.charCodeAt(at);
      if (this.#state === 'ground' && code >= 0x20 && (code < 0x7f || code > 0x9f)) continue;
      if (this.#state === 'ground') pushText(tokens, data.slice(start, at));
      this.#take(data.charAt(at), code, tokens);
      start = at + 1;
    }
    if (this.#state === 'ground') pushText(tokens, data.slice(start));
    return tokens;
  }

  #take(char: string, code: number, tokens: TerminalToken[]): void {
    if (this.#state === 'string' || this.#state === 'string-escape') return this.#inString(char, code);
    // CAN and SUB end whatever was begun; ESC begins anew.
    if (code === 0x18 || code === 0x1a) this.#state = 'ground';
    else if (code === 0x1b) this.#begin('escape');
    else if (code < 0x20) tokens.push({ kind: 'control', char });
    else if (code === 0x9b) this.#begin('csi');
    else if (code >= 0x80 && code <= 0x9f) this.#state = STRINGS.has(char) ? 'string' : 'ground';
    else if (this.#state === 'escape') this.#inEscape(char, code, tokens);
    else if (this.#state === 'csi') this.#inCsi(char, code, tokens);
  }

  #begin(state: 'escape' | 'csi'): void {
    this.#state = state;
    this.#params = '';
    this.#intermediate = '';
  }

  #inEscape(char: string, code: number, tokens: TerminalToken[]): void {
    if (code < 0x30) this.#intermediate = (this.#intermediate + char).slice(0, 2);
    else if (this.#intermediate === '' && char === '[') this.#begin('csi');
    else if (this.#intermediate === '' && STRINGS.has(char)) this.#state = 'string';
    else {
      this.#state = 'ground';
      if (code < 0x7f) tokens.push({ kind: 'escape', intermediate: this.#intermediate, final: char });
    }
  }

  #inCsi(char: string, code: number, tokens: TerminalToken[]): void {
    if (code < 0x40) {
      if (this.#params.length <= MAX_PARAMS_CHARS) this.#params += char;
      return;
    }
    this.#state = 'ground';
    const readable = this.#params.length <= MAX_PARAMS_CHARS && PARAMS.test(this.#params);
    if (code < 0x7f) tokens.push({ kind: 'csi', params: readable ? this.#params : undefined, final: char });
  }

  /** Ends with BEL, ST (`ESC \` or 0x9c), CAN or SUB. */
  #inString(char: string, code: number): void {
    if (code === 0x07 || code === 0x9c || code === 0x18 || code === 0x1a) this.#state = 'ground';
    else if (code === 0x1b) this.#state = 'string-escape';
    else if (this.#state === 'string-escape' && char === '\\') this.#state = 'ground';
    else this.#state = 'string';
  }
}

function pushText(tokens: TerminalToken[], text: string): void {
  const shown = ASCII.test(text) ? text : text.replace(INVISIBLE, '');
  if (shown !== '') tokens.push({ kind: 'text', text: shown });
}
