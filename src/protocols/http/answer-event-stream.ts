import { concatBytes } from '../../core/bytes.js';
import { HoopError, isFault } from '../../core/errors.js';
import { hasDuplicates, member, parseJsonTree } from '../../core/json-tree.js';
import type { JsonNode } from '../../core/json-tree.js';
import type { EventReading, StreamShape, TextPiece } from './answer-layout.js';
import { AnswerMasking } from './answer-masking.js';
import { AnswerRecord } from './answer-record.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from './dialect.js';
import { FollowedEventStream } from './followed-event-stream.js';
import { EventStreamReader } from './event-stream-reader.js';
import type { ServerEvent } from './event-stream-reader.js';
import { rewriteEvent, writeEvent } from './event-writer.js';
import { maskAnswerTree } from './mask-answer-tree.js';
import { StreamedTexts } from './streamed-texts.js';
import type { TextRest } from './streamed-texts.js';
import { TextEdits } from './text-edits.js';
import { hasUnreadEscapes } from './unread-escapes.js';

/** The event that ends a stream of OpenAI's dialect; no JSON. */
const DONE = '[DONE]';

/** Follows the event stream of a model API, and masks it where there is a masker. */
export function answerEventStream(options: AnswerOptions, shape: StreamShape): AnswerBody {
  const record = new AnswerRecord(shape.usageOf);
  const { masker, counts, originals } = options;
  if (masker === undefined) return new FollowedEventStream(options, shape, record);
  return new MaskedEventStream(options, shape, new AnswerMasking(masker, counts, originals), record);
}

class MaskedEventStream implements AnswerBody {
  readonly #reader: EventStreamReader;
  readonly #texts: StreamedTexts;
  /** Events of our own so far: those after them are numbered anew. */
  #extras = 0;
  #lastSequence = -1;
  #failed = false;
  /** Does the next event need a blank line before it? */
  #unterminated = '';

  constructor(
    { maxEventBytes, credential }: AnswerOptions,
    private readonly shape: StreamShape,
    private readonly masking: AnswerMasking,
    private readonly record: AnswerRecord,
  ) {
    this.#reader = new EventStreamReader(maxEventBytes);
    this.#texts = new StreamedTexts(masking, record, credential);
  }

  push(part: Uint8Array): Uint8Array {
    return this.#guarded(() => concatBytes(this.#reader.push(part).map((event) => this.#event(event))));
  }

  end(): Uint8Array {
    return this.#guarded(() => {
      const parts = this.#reader.end().map((event) => {
        const line = event.lines.at(-1);
        this.#unterminated = line === undefined || line.text === '' ? '' : line.end === '' ? '\n\n' : '\n';
        return this.#event(event);
      });
      const extras = this.#extraEvents(this.#texts.end(() => true));
      return concatBytes([...parts, encode(extras === '' ? '' : this.#unterminated + extras)]);
    });
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }

  /** After a fault nothing goes out any more. */
  #guarded(work: () => Uint8Array): Uint8Array {
    if (this.#failed) throw new HoopError('protocol', 'the answer was given up');
    this.#failed = true;
    const bytes = work();
    this.masking.settle();
    this.#failed = false;
    return bytes;
  }

  #event(event: ServerEvent): Uint8Array {
    const { data } = event;
    if (data === undefined || data === '') return this.#rewritten(event, data);
    if (data.trim() === DONE) {
      const extras = this.#extraEvents(this.#texts.end(() => true));
      return concatBytes([encode(extras), this.#rewritten(event, data)]);
    }
    const textual = this.shape.text?.(data, event.name);
    // Of white space alone there is nothing to read, unless it is text.
    if (textual === undefined && data.trim() === '') return this.#rewritten(event, data);
    const tree = textual === undefined ? treeOf(data) : undefined;
    const reading = textual ?? this.shape.layout(tree as JsonNode, data, event.name);
    if (reading.begins !== undefined) this.#texts.reopen(reading.begins);
    const outs = new Map(reading.pieces.map((piece) => [piece, this.#texts.push(piece)]));
    const extras = this.#extraEvents(this.#texts.end(reading.ends).filter((rest) => !appended(rest, outs)));
    this.#recordReading(reading);
    const masked = this.#maskedData(tree, data, outs, reading);
    return concatBytes([encode(extras), this.#rewritten(event, masked)]);
  }

  #maskedData(
    tree: JsonNode | undefined,
    data: string,
    outs: ReadonlyMap<TextPiece, string>,
    reading: EventReading,
  ): string {
    const edits = new TextEdits(data);
    for (const [piece, text] of outs) if (text !== piece.node.value) edits.replace(piece.node, tokenOf(piece, text));
    if (tree === undefined) return edits.apply();
    this.#number(tree, edits);
    const skip = new Set<JsonNode>(reading.pieces.map(({ node }) => node));
    const mask = (): void => {
      this.#maskTree(tree, data, edits, skip);
    };
    if (reading.repeats === true) this.masking.again(mask);
    else mask();
    return edits.apply();
  }

  /** Numbers an event anew where events of our own stand before it. */
  #number(tree: JsonNode, edits: TextEdits): void {
    const sequence = member(tree, 'sequence_number');
    if (sequence?.kind !== 'number') return;
    if (this.#extras > 0) edits.replace(sequence, String(sequence.value + this.#extras));
    this.#lastSequence = sequence.value + this.#extras;
  }

  #extraEvents(rests: readonly TextRest[]): string {
    return rests.map((rest) => this.#extraEvent(rest)).join('');
  }

  /** All but the rest itself is as it came, and is masked like any other event. */
  #extraEvent({ key, text, piece }: TextRest): string {
    const { name, data } = piece.extra(tokenOf(piece, text));
    if (piece.bare === true) return writeEvent(this.masking.whole(name), data);
    const tree = treeOf(data);
    const edits = new TextEdits(data);
    const { pieces } = this.shape.layout(tree, data, name);
    for (const other of pieces) if (other.key !== key && other.node.value !== '') edits.replace(other.node, '""');
    const sequence = member(tree, 'sequence_number');
    if (sequence?.kind === 'number') {
      this.#extras += 1;
      this.#lastSequence += 1;
      edits.replace(sequence, String(this.#lastSequence));
    }
    this.masking.again(() => {
      this.#maskTree(tree, data, edits, new Set<JsonNode>(pieces.map(({ node }) => node)));
    });
    return writeEvent(this.masking.whole(name), edits.apply());
  }

  #maskTree(tree: JsonNode, data: string, edits: TextEdits, skip: ReadonlySet<JsonNode>): void {
    maskAnswerTree(tree, data, { masking: this.masking, edits, skip, plain: this.shape.plain ?? false });
  }

  #recordReading({ toolCalls, usage }: EventReading): void {
    for (const tool of toolCalls) this.record.addToolCall(this.masking.summarised(tool));
    this.record.addUsage(usage);
  }

  #rewritten(event: ServerEvent, data: string | undefined): Uint8Array {
    return rewriteEvent(event, data, (line) => {
      // A document under the type of events is read by clients as what it is.
      if (hasUnreadEscapes(line)) throw new HoopError('protocol', 'a line of the answer has escapes and is no data');
      return this.masking.whole(line);
    });
  }
}

/** Puts what was held back behind the last piece of that text in this event; false where it holds none. */
function appended({ key, text }: TextRest, outs: Map<TextPiece, string>): boolean {
  const piece = [...outs.keys()].findLast((one) => one.key === key);
  if (piece === undefined) return false;
  outs.set(piece, (outs.get(piece) ?? '') + text);
  return true;
}

/** What stands in the piece's place in the data. */
function tokenOf({ bare }: TextPiece, text: string): string {
  return bare === true ? text : JSON.stringify(text);
}

/** @throws HoopError `protocol` for what is no JSON, or means different things to different readers */
function treeOf(data: string): JsonNode {
  const tree = parseJsonTree(data);
  if (isFault(tree)) throw HoopError.fromFault(tree);
  if (hasDuplicates(tree)) throw new HoopError('protocol', 'an event of the answer has a name twice');
  return tree;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
