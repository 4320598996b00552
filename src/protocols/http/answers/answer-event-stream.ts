import { concatBytes } from '../../../core/bytes.js';
import { HoopError } from '../../../core/errors.js';
import type { ExtraEvent, StreamShape } from './answer-layout.js';
import { AnswerMasking } from './answer-masking.js';
import { AnswerRecord } from './answer-record.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from '../dialect.js';
import { EventStreamReader } from './event-stream-reader.js';
import type { ServerEvent } from './event-stream-reader.js';
import { EventTexts } from './event-texts.js';
import { rewriteEvent, writeEvent } from './event-writer.js';
import { FollowedEventStream } from './followed-event-stream.js';
import { hasUnreadEscapes } from '../bodies/unread-escapes.js';

/** Follows the event stream of a model API, and masks it where there is a masker. */
export function answerEventStream(options: AnswerOptions, shape: StreamShape): AnswerBody {
  const record = new AnswerRecord(shape.usageOf);
  const { masker, counts, originals } = options;
  if (masker === undefined) return new FollowedEventStream(options, shape, record);
  return new MaskedEventStream(options, shape, new AnswerMasking(masker, counts, originals, options.narrow), record);
}

class MaskedEventStream implements AnswerBody {
  readonly #reader: EventStreamReader;
  readonly #texts: EventTexts;
  /** What ends the last event, where nothing did, before one of our own. */
  #unterminated = '';

  constructor(
    { maxEventBytes, credential }: AnswerOptions,
    shape: StreamShape,
    private readonly masking: AnswerMasking,
    private readonly record: AnswerRecord,
  ) {
    this.#reader = new EventStreamReader(maxEventBytes);
    this.#texts = new EventTexts(shape, masking, record, credential);
  }

  push(part: Uint8Array): Uint8Array {
    return this.#texts.guarded(() => concatBytes(this.#reader.push(part).map((event) => this.#event(event))));
  }

  end(): Uint8Array {
    return this.#texts.guarded(() => {
      const parts = this.#reader.end().map((event) => {
        const line = event.lines.at(-1);
        this.#unterminated = line === undefined || line.text === '' ? '' : line.end === '' ? '\n\n' : '\n';
        return this.#event(event);
      });
      const extras = written(this.#texts.rest());
      return concatBytes([...parts, encode(extras === '' ? '' : this.#unterminated + extras)]);
    });
  }

  summary(): AnswerSummary {
    return this.record.summary();
  }

  #event(event: ServerEvent): Uint8Array {
    if (event.data === undefined || event.data === '') return this.#rewritten(event, event.data);
    const { before, data } = this.#texts.event(event.data, event.name);
    return concatBytes([encode(written(before)), this.#rewritten(event, data)]);
  }

  #rewritten(event: ServerEvent, data: string | undefined): Uint8Array {
    return rewriteEvent(event, data, (line) => {
      // A document under the type of events is read by clients as what it is.
      if (hasUnreadEscapes(line)) throw new HoopError('protocol', 'a line of the answer has escapes and is no data');
      return this.masking.whole(line);
    });
  }
}

function written(events: readonly ExtraEvent[]): string {
  return events.map(({ name, data }) => writeEvent(name, data)).join('');
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
