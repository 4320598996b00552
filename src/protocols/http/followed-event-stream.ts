import { concatBytes } from '../../core/bytes.js';
import { HoopError, isFault } from '../../core/errors.js';
import { parseJsonTree } from '../../core/json-tree.js';
import type { EventReading, StreamShape } from './answer-layout.js';
import type { AnswerRecord } from './answer-record.js';
import { CredentialTexts, withShown } from './credential-texts.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from './dialect.js';
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
  readonly #credential: CredentialTexts | undefined;
  /** Came, and is of no event that went out. */
  #unsent: Uint8Array = NOTHING;

  constructor(
    { maxEventBytes, credential }: Pick<AnswerOptions, 'maxEventBytes' | 'credential'>,
    private readonly shape: StreamShape,
    private readonly record: AnswerRecord,
  ) {
    this.#reader = new EventStreamReader(maxEventBytes);
    this.#credential = credential && new CredentialTexts(credential);
  }

  push(part: Uint8Array): Uint8Array {
    return this.#read(part, (reader) => reader.push(part));
  }

  end(): Uint8Array {
    return this.#read(NOTHING, (reader) => reader.end());
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }

  #read(part: Uint8Array, take: (reader: EventStreamReader) => readonly ServerEvent[]): Uint8Array {
    if (this.#reader === undefined) return part;
    const rewrites = this.#credential !== undefined;
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
    const reading = data === undefined ? undefined : this.#readingOf(data, name);
    if (data === undefined || reading === undefined) return event.raw;
    const shown = this.#credential?.shown(reading);
    for (const piece of reading.pieces) {
      const text = shown?.get(piece) ?? piece.node.value;
      if (text !== '') this.record.begin();
      this.record.count(text);
      if (piece.kind === 'text') this.record.addText(piece.key, text);
    }
    for (const tool of reading.toolCalls) this.record.addToolCall(tool);
    this.record.addUsage(reading.usage);
    return shown === undefined ? event.raw : rewriteEvent(event, withShown(data, shown), (line) => line);
  }

  #readingOf(data: string, name: string): EventReading | undefined {
    const textual = this.shape.text?.(data, name);
    if (textual !== undefined) return textual;
    const tree = parseJsonTree(data);
    return isFault(tree) ? undefined : this.shape.layout(tree, data, name);
  }
}
