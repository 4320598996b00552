import type { AnswerBody, AnswerOptions, AnswerSummary, Dialect } from './http/dialect.js';
import { httpRequests } from './http/http-requests.js';

const NOTHING_TOLD: AnswerSummary = { toolCalls: [], text: [], begun: false };

function wholeTexts({ masker, counts, originals }: AnswerOptions): AnswerBody {
  const stream = masker?.json(counts, originals);
  return {
    push: (part) => stream?.push(part) ?? part,
    end: () => stream?.end() ?? new Uint8Array(),
    summary: () => NOTHING_TOLD,
  };
}

const plain: Dialect = { ...httpRequests, eventStream: wholeTexts, json: wholeTexts };

/** How each type of connection that speaks HTTP is spoken to. */
export const DIALECTS = { http: plain, openai: plain, anthropic: plain } as const;
