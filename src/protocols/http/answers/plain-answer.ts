import { answerEventStream } from './answer-event-stream.js';
import type { AnswerBody, AnswerOptions, AnswerSummary } from '../dialect.js';
import { PlainLayout } from './plain-layout.js';
import { CheckedJson } from '../bodies/unread-escapes.js';

/** Nothing is known of what the answer means. */
const NOTHING: AnswerSummary = { toolCalls: [], text: [], characters: 0, begun: false };
const nothing = (): AnswerSummary => NOTHING;

/**
 * An event stream of an API of which nothing is known. Data that is no JSON is, for each event name, one text that
 * comes in pieces; of JSON see `PlainLayout`. No name or number in it is left alone for being structure.
 */
export function plainEventStream(options: AnswerOptions): AnswerBody {
  if (options.masker === undefined && options.credential === undefined) return passing();
  const layout = new PlainLayout();
  const body = answerEventStream(options, {
    layout: layout.json,
    text: layout.text,
    plain: true,
    usageOf: () => undefined,
  });
  return {
    push: (part) => body.push(part),
    end: () => body.end(),
    broken: () => body.broken?.() ?? new Uint8Array(),
    summary: nothing,
  };
}

/** JSON, masked as it comes: nothing of it is held but what may become part of a finding. */
export function plainJson({ masker, counts, originals }: AnswerOptions): AnswerBody {
  if (masker === undefined) return passing();
  const stream = new CheckedJson(masker.json(counts, originals));
  return { push: (part) => stream.push(part), end: () => stream.end(), summary: nothing };
}

function passing(): AnswerBody {
  return { push: (part) => part, end: () => new Uint8Array(), summary: nothing };
}
