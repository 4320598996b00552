import { concatBytes } from '../../../core/bytes.js';
import { copyBytes } from '../../../core/copy-bytes.js';
import { isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';
import type { MaskedStream } from '../../../masking/streams/stream-masker.js';
import type { StreamShape } from './answer-layout.js';
import { AnswerMasking } from './answer-masking.js';
import { AnswerRecord } from './answer-record.js';
import type { AnswerBody, AnswerOptions, AnswerSummary, Parted } from '../dialect.js';
import { EventTexts } from './event-texts.js';
import { FollowedTexts } from './followed-event-stream.js';
import type { KnownTexts } from './known-texts.js';
import { CheckedJson } from '../bodies/unread-escapes.js';

const NEWLINE = 0x0a;
/** What stands before each text of a sequence. @see https://www.rfc-editor.org/rfc/rfc7464#section-2.2 */
const SEPARATOR = 0x1e;
/** A longer line is no piece of a text. The last one of a stream may hold all its tokens; what may be one text is not held as long. */
const LONGEST_BYTES: Readonly<Record<Parted, number>> = { line: 1024 * 1024, unknown: 64 * 1024 };
const NOTHING = new Uint8Array();
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** An event of a way that is known. */
export interface KnownEvent {
  readonly known: KnownTexts;
  readonly tree: JsonNode;
}

/** What the data is, of the ways that are known; undefined where it is none. */
export function knownIn(data: string, known: readonly KnownTexts[]): KnownEvent | undefined {
  const likely = known.filter(({ hint }) => hint.test(data));
  if (likely.length === 0) return undefined;
  const tree = parseJsonTree(data);
  if (isFault(tree)) return undefined;
  const met = likely.find((one) => one.knows(tree));
  return met && { known: met, tree };
}

/** What streams of these ways look like, all in one. */
export function shapeOfKnown(
  known: readonly KnownTexts[],
  options: Pick<StreamShape, 'plain' | 'endless'>,
): StreamShape {
  return {
    ...options,
    layout: (tree: JsonNode, data, name) =>
      known.find((one) => one.knows(tree))?.layout(tree, data, name) ?? {
        pieces: [],
        ends: () => false,
        toolCalls: [],
      },
    usageOf: (members) => {
      for (const one of known) {
        const usage = one.usageOf(members);
        if (usage !== undefined) return usage;
      }
      return undefined;
    },
  };
}

/**
 * JSON, one text a line or behind a separator. Lines that hold pieces of a text in a way that is known are masked as
 * events are; each other line is a text of its own, so that no record of a list gets what was held of the one before.
 */
export function answerLines(
  options: AnswerOptions,
  known: readonly KnownTexts[],
  { plain, parted }: { readonly plain: boolean; readonly parted: Parted },
): AnswerBody {
  const shape = shapeOfKnown(known, { plain });
  const record = new AnswerRecord(shape.usageOf);
  const { masker, counts, originals } = options;
  if (masker === undefined)
    return new LinesBody(new FollowedLines(new FollowedTexts(options, shape, record)), { known, record, parted });
  const masking = new AnswerMasking(masker, counts, originals);
  const texts = new EventTexts(shape, masking, record, options.credential);
  const other = (): MaskedStream => new CheckedJson(masker.json(counts, originals));
  return new LinesBody(new MaskedLines(texts, other), { known, record, parted });
}

/** What becomes of lines. */
interface LineTexts {
  guarded<T>(work: () => T): T;
  /** A line that is known, without what is around it. */
  known(data: string): { readonly before: readonly string[]; readonly data: string };
  /** A line that is not, in parts. */
  other(): MaskedStream;
  rest(): readonly string[];
}

class MaskedLines implements LineTexts {
  constructor(
    private readonly texts: EventTexts,
    readonly other: () => MaskedStream,
  ) {}

  guarded<T>(work: () => T): T {
    return this.texts.guarded(work);
  }

  known(data: string): { readonly before: readonly string[]; readonly data: string } {
    const { before, data: masked } = this.texts.event(data, '');
    return { before: before.map((event) => event.data), data: masked };
  }

  rest(): readonly string[] {
    return this.texts.rest().map(({ data }) => data);
  }
}

const PASSING: MaskedStream = { push: (part) => part, end: () => NOTHING };

class FollowedLines implements LineTexts {
  constructor(private readonly texts: FollowedTexts) {}

  guarded<T>(work: () => T): T {
    return work();
  }

  known(data: string): { readonly before: readonly string[]; readonly data: string } {
    return { before: [], data: this.texts.shown(data, '') };
  }

  other(): MaskedStream {
    return PASSING;
  }

  rest(): readonly string[] {
    return [];
  }
}

interface LinesOptions {
  readonly known: readonly KnownTexts[];
  readonly record: AnswerRecord;
  readonly parted: Parted;
}

/** Holds a line until it is whole, as far as it may be a piece of a text: longer ones go on as they come. */
class LinesBody implements AnswerBody {
  /** What came of a line that is not decided. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Takes the rest of a line that is no piece of a text. */
  #other: MaskedStream | undefined;
  #endsWithNewline = true;
  /** Does a separator stand before the text at hand? */
  #separated = false;
  #separators = false;

  constructor(
    private readonly texts: LineTexts,
    private readonly options: LinesOptions,
  ) {}

  push(part: Uint8Array): Uint8Array {
    return this.texts.guarded(() => {
      const out: Uint8Array[] = [];
      let from = 0;
      for (let at = 0; at < part.length; at += 1) {
        const byte = part[at];
        if (byte !== NEWLINE && !(byte === SEPARATOR && this.options.parted === 'unknown')) continue;
        this.#take(part.subarray(from, at), out);
        this.#cut(byte, out);
        from = at + 1;
      }
      this.#take(part.subarray(from), out);
      return concatBytes(out);
    });
  }

  end(): Uint8Array {
    return this.texts.guarded(() => {
      const out: Uint8Array[] = [];
      const bare = this.#held.length > 0 || this.#other !== undefined;
      if (bare) this.#endsWithNewline = false;
      this.#endLine(out);
      const rest = this.texts.rest();
      if (rest.length > 0 && !this.#endsWithNewline) out.push(Uint8Array.of(NEWLINE));
      const separator = this.#separators ? '\x1e' : '';
      for (const data of rest) out.push(encoder.encode(`${separator}${data}\n`));
      return concatBytes(out);
    });
  }

  summary(): AnswerSummary {
    return this.options.record.summary();
  }

  #take(part: Uint8Array, out: Uint8Array[]): void {
    if (part.length === 0) return;
    if (this.#other !== undefined) {
      out.push(this.#other.push(part));
      return;
    }
    // A copy: who gave the part may write it over.
    this.#held.push(copyBytes(part));
    this.#heldBytes += part.length;
    if (this.#heldBytes > LONGEST_BYTES[this.options.parted]) this.#goOn(out);
  }

  /** The end of a line, or the separator before the next text. */
  #cut(byte: number, out: Uint8Array[]): void {
    // A text may have several lines: what is no piece of a text goes on behind the end of the first.
    if (this.options.parted !== 'line' && byte === NEWLINE && !this.#isWhole()) {
      if (this.#other === undefined && this.#heldBytes > 0) this.#goOn(out);
      out.push(this.#other?.push(Uint8Array.of(byte)) ?? Uint8Array.of(byte));
    } else {
      this.#endLine(out);
      out.push(Uint8Array.of(byte));
    }
    this.#endsWithNewline = byte === NEWLINE;
    this.#separated = byte === SEPARATOR;
    this.#separators ||= this.#separated;
  }

  /** Is what is held a text of its own? */
  #isWhole(): boolean {
    return this.#heldBytes > 0 && !isFault(parseJsonTree(utf8.decode(concatBytes(this.#held))));
  }

  #knownLine(): string | undefined {
    if (this.#heldBytes === 0) return undefined;
    const line = utf8.decode(concatBytes(this.#held));
    return knownIn(line, this.options.known) === undefined ? undefined : line;
  }

  #endLine(out: Uint8Array[]): void {
    if (this.#other === undefined) {
      const line = this.#knownLine();
      if (line !== undefined) {
        this.#held = [];
        this.#heldBytes = 0;
        const { before, data } = this.texts.known(line);
        for (const own of before) this.#ours(own, out);
        out.push(encoder.encode(data));
        return;
      }
      if (this.#heldBytes > 0) this.#goOn(out);
    }
    if (this.#other !== undefined) out.push(this.#other.end());
    this.#other = undefined;
  }

  /** What is held is no piece of a text. */
  #goOn(out: Uint8Array[]): void {
    this.#other = this.texts.other();
    for (const part of this.#held) out.push(this.#other.push(part));
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** A line of our own, before one that came. */
  #ours(data: string, out: Uint8Array[]): void {
    out.push(encoder.encode(`${data}\n`));
    // The separator that came stands before ours: the next text needs one of its own.
    if (this.#separated) out.push(Uint8Array.of(SEPARATOR));
  }
}
