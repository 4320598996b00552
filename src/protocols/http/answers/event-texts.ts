import { HoopError, isFault } from '../../../core/errors.js';
import { hasDuplicates, member, parseJsonTree } from '../../../core/json-tree.js';
import type { JsonNode } from '../../../core/json-tree.js';
import type { EventReading, ExtraEvent, StreamShape, TextPiece } from './answer-layout.js';
import type { AnswerMasking } from './answer-masking.js';
import type { AnswerRecord } from './answer-record.js';
import type { CredentialPieces } from '../credentials/credential-pieces.js';
import { maskAnswerTree } from './mask-answer-tree.js';
import { StreamedTexts } from './streamed-texts.js';
import type { TextRest } from './streamed-texts.js';
import { TextEdits } from '../bodies/text-edits.js';

/** The event that ends a stream of OpenAI's dialect; no JSON. */
const DONE = '[DONE]';

/** What goes out in the place of one event. */
export interface MaskedEvent {
  /** Events of our own that go before it. */
  readonly before: readonly ExtraEvent[];
  readonly data: string;
}

/** Masks the data of events, one after the other, however they are framed: pieces of one text as one text. */
export class EventTexts {
  readonly #texts: StreamedTexts;
  /** Events of our own so far: those after them are numbered anew. */
  #extras = 0;
  #lastSequence = -1;
  #failed = false;

  constructor(
    private readonly shape: StreamShape,
    private readonly masking: AnswerMasking,
    private readonly record: AnswerRecord,
    credential?: () => CredentialPieces,
  ) {
    this.#texts = new StreamedTexts(masking, record, { credential, forgets: shape.endless ?? false });
  }

  /** Runs `work`, which takes events. After a fault nothing goes out any more. */
  guarded<T>(work: () => T): T {
    if (this.#failed) throw new HoopError('protocol', 'the answer was given up');
    this.#failed = true;
    const done = work();
    this.masking.settle();
    this.#failed = false;
    return done;
  }

  /** @throws HoopError `protocol` for data that can't be read in one way alone */
  event(data: string, name: string): MaskedEvent {
    if (data.trim() === DONE) return { before: this.rest(), data };
    const textual = this.shape.text?.(data, name);
    // Of white space alone there is nothing to read, unless it is text.
    if (textual === undefined && data.trim() === '') return { before: [], data };
    const tree = textual === undefined ? treeOf(data) : undefined;
    const reading = textual ?? this.shape.layout(tree as JsonNode, data, name);
    if (reading.unread !== undefined) this.masking.unread(reading.unread);
    if (reading.begins !== undefined) this.#texts.reopen(reading.begins);
    const outs = new Map(reading.pieces.map((piece) => [piece, this.#texts.push(piece)]));
    const before = this.#extraEvents(this.#texts.end(reading.ends).filter((rest) => !appended(rest, outs)));
    for (const tool of reading.toolCalls) this.record.addToolCall(this.masking.summarised(tool));
    this.record.addUsage(reading.usage);
    return { before, data: this.#masked(tree, data, outs, reading) };
  }

  /** What is held of all texts: no more comes. */
  rest(): readonly ExtraEvent[] {
    return this.#extraEvents(this.#texts.end(() => true));
  }

  #masked(
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

  #extraEvents(rests: readonly TextRest[]): readonly ExtraEvent[] {
    return rests.map((rest) => this.#extraEvent(rest));
  }

  /** All but the rest itself is as it came, and is masked like any other event. */
  #extraEvent({ key, text, piece }: TextRest): ExtraEvent {
    const { name, data } = piece.extra(tokenOf(piece, text));
    if (piece.bare === true) return { name: this.masking.whole(name), data };
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
    return { name: this.masking.whole(name), data: edits.apply() };
  }

  #maskTree(tree: JsonNode, data: string, edits: TextEdits, skip: ReadonlySet<JsonNode>): void {
    maskAnswerTree(tree, data, { masking: this.masking, edits, skip, plain: this.shape.plain ?? false });
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
