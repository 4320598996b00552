import { describe, expect, it } from 'vitest';
import { anthropicEventStream } from '../../../src/protocols/anthropic/answer.js';
import { openaiEventStream } from '../../../src/protocols/openai/answer.js';
import { ARGUMENTS, maskedJson, maskedText, piecesOf, secretsIn, TEXT, wholeThrough } from './masked-answer.js';
import { chatTexts, completionTexts, messageTexts, responseTexts } from './model-clients.js';
import { chatStream, completionStream, messageStream, responseStream } from './model-streams.js';
import type { Kind } from './model-streams.js';

const KINDS: readonly Kind[] = ['text', 'tool arguments'];
const expected = (kind: Kind): string => (kind === 'text' ? maskedText(TEXT) : maskedJson(ARGUMENTS));

/** Entities of the texts lie over two, three and ten events, and over one event for each character. */
const cases = KINDS.flatMap((kind) => {
  const text = kind === 'text' ? TEXT : ARGUMENTS;
  return [1, 2].flatMap((count) =>
    [1, 2, 10, 35, text.length].map((parts) => ({ kind, count, parts, pieces: piecesOf(text, parts) })),
  );
});

describe('what the SDKs put together of a masked stream is the masked whole', () => {
  it.each(cases)('chat: $kind, n=$count, in $parts pieces', async ({ kind, count, pieces }) => {
    const out = wholeThrough(openaiEventStream, chatStream(pieces, count, kind));
    expect(secretsIn(out)).toEqual([]);
    expect(await chatTexts(out)).toEqual(Array<string>(count).fill(expected(kind)));
  });

  it.each(cases.filter(({ kind }) => kind === 'text'))(
    'completions: n=$count, in $parts pieces',
    async ({ count, pieces }) => {
      const out = wholeThrough(openaiEventStream, completionStream(pieces, count));
      expect(await completionTexts(out)).toEqual(Array<string>(count).fill(expected('text')));
    },
  );

  it.each(cases)('responses: $kind, n=$count, in $parts pieces', async ({ kind, count, pieces }) => {
    const out = wholeThrough(openaiEventStream, responseStream(pieces, count, kind));
    const { streamed, whole, numbers } = await responseTexts(out);
    expect(secretsIn(out)).toEqual([]);
    expect(streamed).toEqual(Array<string>(count).fill(expected(kind)));
    expect(whole).toEqual(Array<string>(count).fill(expected(kind)));
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  it.each(cases)('messages: $kind, n=$count, in $parts pieces', async ({ kind, count, pieces }) => {
    const out = wholeThrough(anthropicEventStream, messageStream(pieces, count, kind));
    const text = expected(kind);
    expect(secretsIn(out)).toEqual([]);
    expect(await messageTexts(out)).toEqual(Array<unknown>(count).fill(kind === 'text' ? text : JSON.parse(text)));
  });
});
