/** White space, the bytes of a byte order mark, and what stands before texts of a sequence: they mean nothing. */
const BLANK: readonly number[] = [0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf, 0x1e];
/** `{` or `[`. */
const OPENS_JSON: readonly number[] = [0x7b, 0x5b];
const QUOTE = 0x22;

/** Streams of models begin with one of these; SDKs read them as such, whatever their type says. */
const EVENTS: readonly string[] = ['data:', 'event:', 'id:', 'retry:', ':'];
/** Of any other API only what can hardly be something else. */
const PLAIN_EVENTS: readonly string[] = ['data: {"', 'data:{"', 'data: [{"', 'data:[{"'];

/** `json` is a map or list. */
export type Beginning = 'events' | 'json' | 'string' | 'text';

/** Tells by its first characters what a text is, whatever its type says: JSON has escapes, and events cut texts in pieces. */
export class BeginningReader {
  #seen = '';
  readonly #events: readonly string[];

  /** @param ofModel does it come from an API of models? */
  constructor(ofModel: boolean) {
    this.#events = ofModel ? EVENTS : PLAIN_EVENTS;
  }

  /** @returns undefined while more has to be seen; white space before it does not count */
  take(part: Uint8Array): Beginning | undefined {
    for (const byte of part) {
      if (this.#seen === '') {
        if (BLANK.includes(byte)) continue;
        if (OPENS_JSON.includes(byte)) return 'json';
        if (byte === QUOTE) return 'string';
      }
      this.#seen += String.fromCharCode(byte);
      if (this.#events.includes(this.#seen)) return 'events';
      if (!this.#events.some((one) => one.startsWith(this.#seen))) return 'text';
    }
    return undefined;
  }
}
