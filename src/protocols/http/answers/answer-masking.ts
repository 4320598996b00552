import { HoopError } from '../../../core/errors.js';
import type { MaskCounts } from '../../../core/mask.js';
import type { MaskedStream, Originals, StreamMasker } from '../../../masking/streams/stream-masker.js';

/** `json`: the pieces together are one JSON text, which stays one. */
export type TextKind = 'text' | 'json';

/** One text of which the pieces come as strings. */
export interface TextPieces {
  /** @returns what may go out now */
  push(piece: string): string;
  end(): string;
}

const LONGEST_KEPT = 64;
const MOST_KEPT = 1024;
const LONE_HIGH_SURROGATE = /[\ud800-\udbff]$/;

/** Short texts in which a masker found nothing: names and words that each event of each answer repeats. */
const CLEAN = new WeakMap<StreamMasker, Set<string>>();

function cleanOf(masker: StreamMasker): Set<string> {
  const known = CLEAN.get(masker) ?? new Set();
  CLEAN.set(masker, known);
  return known;
}

/** Masks the texts of one answer: whole ones, and those that come in pieces. */
export class AnswerMasking {
  readonly #clean: Set<string>;
  /** Found in this answer; `settle` adds to the caller's what is new. */
  #found: MaskCounts = new Map();
  readonly #settled: MaskCounts = new Map();

  constructor(
    private readonly masker: StreamMasker,
    private readonly counts: MaskCounts,
    private readonly originals?: Originals,
    private readonly narrow = false,
  ) {
    this.#clean = originals === undefined ? cleanOf(masker) : new Set();
  }

  /** Masks one text that stands there whole. */
  whole(text: string, kind: TextKind = 'text'): string {
    if (text === '' || this.#clean.has(text)) return text;
    const stream = this.pieces(kind);
    const masked = stream.push(text) + stream.end();
    if (masked === text && text.length <= LONGEST_KEPT && kind === 'text') {
      if (this.#clean.size === MOST_KEPT) this.#clean.clear();
      this.#clean.add(text);
    }
    return masked;
  }

  pieces(kind: TextKind): TextPieces {
    const { masker, originals } = this;
    return new MaskedPieces(
      kind === 'json' ? masker.json(this.#found, originals) : masker.text(this.#found, originals),
    );
  }

  /** Something in the answer says words and is no text. @throws HoopError `protocol` where nothing unread may go on */
  unread(what: string): void {
    if (this.narrow) throw new HoopError('protocol', `${what} in it can not be inspected`);
  }

  /** Runs `mask` on what says again what came in pieces: one value is counted once. */
  again(mask: () => void): void {
    const found = this.#found;
    this.#found = new Map();
    mask();
    for (const [entity, count] of this.#found) found.set(entity, Math.max(count, found.get(entity) ?? 0));
    this.#found = found;
  }

  /** Brings the caller's counts up to date. */
  settle(): void {
    for (const [entity, count] of this.#found) {
      const added = count - (this.#settled.get(entity) ?? 0);
      if (added > 0) this.counts.set(entity, (this.counts.get(entity) ?? 0) + added);
      this.#settled.set(entity, count);
    }
  }

  /** Masks for the summary what is masked in the answer itself too. */
  summarised(text: string, kind: TextKind = 'text'): string {
    let masked = '';
    this.again(() => {
      masked = this.whole(text, kind);
    });
    return masked;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

class MaskedPieces implements TextPieces {
  /** The first half of a character of which the second half comes with the next piece. */
  #half = '';

  constructor(private readonly stream: MaskedStream) {}

  push(piece: string): string {
    const text = this.#half + piece;
    this.#half = LONE_HIGH_SURROGATE.exec(text)?.[0] ?? '';
    const ready = this.#half === '' ? text : text.slice(0, -1);
    return ready === '' ? '' : this.#text(this.stream.push(encoder.encode(ready)));
  }

  end(): string {
    const rest = this.#half === '' ? '' : this.#text(this.stream.push(encoder.encode(this.#half)));
    return rest + this.#text(this.stream.end()) + decoder.decode();
  }

  /** Not all at once: what goes out may end inside of a character. */
  #text(bytes: Uint8Array): string {
    return bytes.length === 0 ? '' : decoder.decode(bytes, { stream: true });
  }
}
