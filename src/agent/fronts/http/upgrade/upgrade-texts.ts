import type { MaskCounts } from '../../../../core/mask.js';
import type { StreamMasker } from '../../../../masking/streams/stream-masker.js';
import { knownIn, shapeOfKnown, type KnownEvent } from '../../../../protocols/http/answers/answer-lines.js';
import { AnswerMasking } from '../../../../protocols/http/answers/answer-masking.js';
import { AnswerRecord } from '../../../../protocols/http/answers/answer-record.js';
import { EventTexts } from '../../../../protocols/http/answers/event-texts.js';
import { KNOWN_TEXTS } from '../../../../protocols/registry.js';

/** How a message holds pieces of texts; undefined where that is not known of it. */
export function knownMessage(message: string): KnownEvent | undefined {
  return knownIn(message, KNOWN_TEXTS);
}

interface OpenTexts {
  readonly masker: StreamMasker;
  readonly texts: EventTexts;
}

/** Texts that come in pieces, in messages of one side of an upgraded stream. */
export class MessageTexts {
  #open: OpenTexts | undefined;

  /** @param plain is nothing left alone for being structure? */
  constructor(
    private readonly counts: MaskCounts,
    private readonly plain: boolean,
  ) {}

  /**
   * @param masker of this moment: with another one the texts begin anew
   * @param message of a way that is known
   * @returns what goes on in its place, messages of our own before it
   * @throws HoopError `protocol` for what can't be read in one way alone; then nothing more may go on
   */
  take(message: string, masker: StreamMasker): readonly string[] {
    const before = this.#open?.masker === masker ? [] : this.rest();
    const { texts } = (this.#open ??= { masker, texts: this.#begin(masker) });
    return texts.guarded(() => {
      const { before: own, data } = texts.event(message, '');
      return [...before, ...own.map((event) => event.data), data];
    });
  }

  /** What is held of all texts: no more comes. */
  rest(): readonly string[] {
    const texts = this.#open?.texts;
    this.#open = undefined;
    return texts?.guarded(() => texts.rest().map(({ data }) => data)) ?? [];
  }

  #begin(masker: StreamMasker): EventTexts {
    const shape = shapeOfKnown(KNOWN_TEXTS, { plain: this.plain, endless: true });
    return new EventTexts(shape, new AnswerMasking(masker, this.counts), new AnswerRecord(shape.usageOf));
  }
}
