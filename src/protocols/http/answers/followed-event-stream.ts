import { concatBytes } from '../../../core/bytes.js';
import { HoopError, isFault } from '../../../core/errors.js';
import { parseJsonTree } from '../../../core/json-tree.js';
import type { EventReading, StreamShape } from './answer-layout.js';
import type { AnswerRecord } from './answer-record.js';
import { CredentialTexts, withShown } from '../credentials/credential-texts.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from '../dialect.js';
import { EventStreamReader } from './event-stream-reader.js';
import type { ServerEvent } from './event-stream-reader.js';
import { rewriteEvent } from './event-writer.js';

const NOTHING = new Uint8Array();

/**
 * Reads along where nothing is masked; what can't be read stops the reading and nothing else. Where a credential was
 * injected, events go out whole, with what is of it in their texts taken out; else all bytes pass as they come.
 */
export class FollowedEventStream implements AnswerBody {
  #reader: EventStreamReader | undefined;
  readonly #texts: FollowedTexts;
  /** Came, and is of no event that went out. */
  #unsent: Uint8Array = NOTHING;

  constructor(
    { maxEventBytes, credential }: Pick<AnswerOptions, 'maxEventBytes' | 'credential'>,
    shape: StreamShape,
    private readonly record: AnswerRecord,
  ) {
    this.#reader = new EventStreamReader(maxEventBytes);
    this.#texts = new FollowedTexts({ credential }, shape, record);
  }

  push(part: Uint8Array): Uint8Array {
    return this.#read(part, (reader) => reader.push(part));
  }

  end(): Uint8Array {
    return this.#read(NOTHING, (reader) => reader.end());
  }

  broken(): Uint8Array {
    const rest = this.#unsent;
    this.#unsent = NOTHING;
    return this.#texts.begun ? NOTHING : rest;
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }

  #read(part: Uint8Array, take: (reader: EventStreamReader) => readonly ServerEvent[]): Uint8Array {
    if (this.#reader === undefined) return part;
    const { rewrites } = this.#texts;
    if (rewrites) this.#unsent = concatBytes([this.#unsent, part]);
    const out: Uint8Array[] = [];
    try {
      for (const event of take(this.#reader)) {
        out.push(this.#event(event));
        if (rewrites) this.#unsent = this.#unsent.subarray(event.raw.length);
      }
      return rewrites ? concatBytes(out) : part;
    } catch (error) {
      if (!(error instanceof HoopError)) throw error;
      this.#reader = undefined;
      const rest = this.#unsent;
      this.#unsent = NOTHING;
      return rewrites ? concatBytes([...out, rest]) : part;
    }
  }

  #event(event: ServerEvent): Uint8Array {
    const { data, name } = event;
    if (data === undefined) return event.raw;
    const shown = this.#texts.shown(data, name);
    return shown === data ? event.raw : rewriteEvent(event, shown, (line) => line);
  }
}

/** Reads along in the data of events, however they are framed, and takes out what their texts have of a credential. */
export class FollowedTexts {
  readonly #credential: CredentialTexts | undefined;

  constructor(
    { credential }: Pick<AnswerOptions, 'credential'>,
    private readonly shape: StreamShape,
    private readonly record: AnswerRecord,
  ) {
    this.#credential = credential && new CredentialTexts(credential);
  }

  /** Are credentials taken out of the texts? */
  get rewrites(): boolean {
    return this.#credential !== undefined;
  }

  /** Has a text begun to tell a credential? */
  get begun(): boolean {
    return this.#credential?.begun === true;
  }

  /** The data as it may be shown; itself where nothing is taken out. */
  shown(data: string, name: string): string {
    const reading = this.#readingOf(data, name);
    if (reading === undefined) return data;
    const shown = this.#credential?.shown(reading);
    for (const piece of reading.pieces) {
      const text = shown?.get(piece) ?? piece.node.value;
      if (text !== '') this.record.begin();
      this.record.count(text);
      this.record.addPiece(piece, text);
    }
    for (const tool of reading.toolCalls) this.record.addToolCall(tool);
    this.record.addUsage(reading.usage);
    return shown === undefined ? data : withShown(data, shown);
  }

  #readingOf(data: string, name: string): EventReading | undefined {
    const textual = this.shape.text?.(data, name);
    if (textual !== undefined) return textual;
    const tree = parseJsonTree(data);
    return isFault(tree) ? undefined : this.shape.layout(tree, data, name);
  }
}
