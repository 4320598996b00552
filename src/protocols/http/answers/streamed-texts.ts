import { HoopError } from '../../../core/errors.js';
import type { TextPiece } from './answer-layout.js';
import type { CredentialPieces } from '../credentials/credential-pieces.js';
import type { AnswerMasking, TextPieces } from './answer-masking.js';
import type { AnswerRecord } from './answer-record.js';

/** A text of which the end was held back. */
export interface TextRest {
  readonly key: string;
  readonly text: string;
  /** The last piece of it that came. */
  readonly piece: TextPiece;
}

interface OpenText {
  readonly pieces: TextPieces;
  last: TextPiece;
  readonly credential: CredentialPieces | undefined;
}

const MAX_TEXTS = 4096;

export interface StreamedTextsOptions {
  readonly credential?: (() => CredentialPieces) | undefined;
  /** The stream has no end in sight: of the texts that are over the earliest are forgotten. */
  readonly forgets?: boolean;
}

/** The texts of one answer that come in pieces, each masked as one text whatever stands between its pieces. */
export class StreamedTexts {
  readonly #open = new Map<string, OpenText>();
  readonly #ended = new Set<string>();

  constructor(
    private readonly masking: AnswerMasking,
    private readonly record: AnswerRecord,
    private readonly options: StreamedTextsOptions = {},
  ) {}

  /**
   * @returns what goes out in the piece's place
   * @throws HoopError `protocol` for a text that goes on after its end: half a value may have gone out before it;
   *   `limit` for more texts than any answer has
   */
  push(piece: TextPiece): string {
    const { value } = piece.node;
    const open = this.#open.get(piece.key);
    // An empty piece begins nothing: the event that ends a text may still hold one.
    if (open === undefined && value === '') {
      this.record.addPiece(piece, '');
      return '';
    }
    const text = open ?? this.#begin(piece);
    text.last = piece;
    this.record.begin();
    const masked = text.pieces.push(text.credential?.push(value) ?? value);
    this.#keep(piece, masked);
    return masked;
  }

  /** Ends the texts that `ends` names, in the order they began. @returns those of which something was held back */
  end(ends: (key: string) => boolean): TextRest[] {
    const rests: TextRest[] = [];
    for (const [key, open] of this.#open) {
      if (!ends(key)) continue;
      this.#open.delete(key);
      this.#remember(key);
      const text = open.pieces.end();
      this.#keep(open.last, text);
      if (text !== '') rests.push({ key, text, piece: open.last });
    }
    return rests;
  }

  /** Texts with these keys may begin anew. */
  reopen(begins: (key: string) => boolean): void {
    for (const key of this.#ended) if (begins(key)) this.#ended.delete(key);
  }

  #remember(ended: string): void {
    const first = this.#ended.values().next();
    if (this.options.forgets === true && this.#ended.size >= MAX_TEXTS / 2 && first.done !== true)
      this.#ended.delete(first.value);
    this.#ended.add(ended);
  }

  #begin(piece: TextPiece): OpenText {
    const { key, kind } = piece;
    if (this.#ended.has(key)) throw new HoopError('protocol', 'a text of the answer goes on after its end');
    if (this.#open.size + this.#ended.size >= MAX_TEXTS)
      throw new HoopError('limit', `the answer has more than ${String(MAX_TEXTS)} texts`);
    const open = { pieces: this.masking.pieces(kind), last: piece, credential: this.options.credential?.() };
    this.#open.set(key, open);
    return open;
  }

  #keep(piece: TextPiece, text: string): void {
    this.record.count(text);
    this.record.addPiece(piece, text);
  }
}
