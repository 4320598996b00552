import { concatBytes } from '../../../core/bytes.js';
import { BytePatterns } from './byte-patterns.js';
import { piecesOf, type CredentialPieces } from './credential-pieces.js';
import { bareCredentials, credentialSpellings } from './credential-spellings.js';

const PLACEHOLDER = new TextEncoder().encode('[credential]');
const NOTHING = new Uint8Array();
const STAR = 0x2a;

/** As long as what it stands for, so that a length that was told stays true. */
function placeholder(length: number): Uint8Array {
  const text = new Uint8Array(length).fill(STAR);
  if (length >= PLACEHOLDER.length) text.set(PLACEHOLDER);
  return text;
}

/** One body, in parts. Whatever the cuts, all that `push` and `end` give together is the same. */
export interface RedactedStream {
  /** @returns what may go out now: all but what may be the beginning of a credential */
  push(part: Uint8Array): Uint8Array;
  /** The body is over: the rest. Nothing may be pushed after it. */
  end(): Uint8Array;
  /** Was a credential met? */
  readonly found: boolean;
}

/** Takes the injected credential out of what an upstream sends back. Made once for a credential; keeps no state of a body. */
export interface Redactor {
  stream(): RedactedStream;
  /** For header values, status texts and messages. */
  redactText(text: string): string;
  /** Begins a text that comes in pieces, from each of which it is taken out already; undefined where none is long enough. */
  readonly pieces: (() => CredentialPieces) | undefined;
}

/**
 * Wherever a credential stands, `[credential]` goes out, filled up with `*` to its length, policy or not: as it is, as an escaped JSON string,
 * percent-encoded, in base64 and base64url, alone or inside of a longer text (`credentialSpellings` tells which
 * spellings of a value count). Overlapping finds are one. Linear in the bytes.
 *
 * @param secrets the values of the injected headers, with their prefix
 */
export function createRedactor(secrets: readonly string[]): Redactor {
  const spellings = credentialSpellings(secrets);
  if (spellings.length === 0) return { stream: () => UNTOUCHED, redactText: (text) => text, pieces: undefined };
  const encoder = new TextEncoder();
  const patterns = new BytePatterns(spellings.map((spelling) => encoder.encode(spelling)));
  return {
    stream: () => new PatternStream(patterns),
    pieces: piecesOf(bareCredentials(secrets)),
    redactText(text) {
      const stream = new PatternStream(patterns);
      const redacted = concatBytes([stream.push(encoder.encode(text)), stream.end()]);
      return stream.found ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(redacted) : text;
    },
  };
}

const UNTOUCHED: RedactedStream = { push: (part) => part, end: () => NOTHING, found: false };

/** Where a credential stands; offsets count the bytes of the body. */
interface Place {
  from: number;
  to: number;
}

class PatternStream implements RedactedStream {
  found = false;
  #state = 0;
  /** Bytes not yet given out, from offset `#heldFrom` of the body on. */
  #held: Uint8Array = NOTHING;
  #heldFrom = 0;
  /** Found in what is held, in order, none overlapping another. */
  readonly #places: Place[] = [];

  constructor(private readonly patterns: BytePatterns) {}

  push(part: Uint8Array): Uint8Array {
    this.#look(part, this.#heldFrom + this.#held.length);
    this.#held = this.#held.length === 0 ? part : concatBytes([this.#held, part]);
    const end = this.#heldFrom + this.#held.length;
    return this.#giveOut(end - this.patterns.begun(this.#state));
  }

  end(): Uint8Array {
    return this.#giveOut(this.#heldFrom + this.#held.length);
  }

  #look(part: Uint8Array, offset: number): void {
    const { patterns } = this;
    let state = this.#state;
    for (let at = 0; at < part.length; at += 1) {
      if (state === 0) {
        at = patterns.candidate(part, at, part.length);
        if (at === part.length) break;
      }
      state = patterns.step(state, part[at] as number);
      const length = patterns.matched(state);
      if (length > 0) this.#mark(offset + at + 1 - length, offset + at + 1);
    }
    this.#state = state;
  }

  #mark(from: number, to: number): void {
    this.found = true;
    let start = from;
    // A longer one may take in several that ended before.
    for (let last = this.#places.at(-1); last !== undefined && last.to > start; last = this.#places.at(-1)) {
      start = Math.min(start, last.from);
      this.#places.pop();
    }
    this.#places.push({ from: start, to });
  }

  /** All before offset `limit`, but no half of a place that reaches beyond it. */
  #giveOut(limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let kept = this.#heldFrom;
    let until = limit;
    while (this.#places[0] !== undefined && this.#places[0].from < until) {
      const { from, to } = this.#places[0];
      if (to > until) {
        until = from;
        break;
      }
      parts.push(this.#bytes(kept, from), placeholder(to - from));
      kept = to;
      this.#places.shift();
    }
    parts.push(this.#bytes(kept, until));
    this.#held = this.#bytes(until, this.#heldFrom + this.#held.length);
    this.#heldFrom = until;
    return concatBytes(parts.filter(({ length }) => length > 0));
  }

  #bytes(from: number, to: number): Uint8Array {
    return this.#held.subarray(from - this.#heldFrom, to - this.#heldFrom);
  }
}
