import { describe, expect, it } from 'vitest';
import { anthropicEventStream, anthropicJson } from '../../../src/protocols/anthropic/answer.js';
import { plainEventStream, plainJson } from '../../../src/protocols/http/answers/plain-answer.js';
import { openaiEventStream, openaiJson } from '../../../src/protocols/openai/answer.js';
import { cutsThatMatter, piecesOf, secretsIn, wholeThrough } from './masked-answer.js';
import type { MakeAnswer } from './masked-answer.js';
import { chatStream, completionStream, messageStream, responseStream } from './model-streams.js';
import type { Kind } from './model-streams.js';

/** Short: every sample is run once for each of its bytes. */
const TEXT = 'é😀 alice@example.com, 4111111111111111';
const ARGUMENTS = '{"to":"alice\\u0040example.com","n":4111111111111111}';

const KINDS: readonly Kind[] = ['text', 'tool arguments'];
const original = (kind: Kind): string => (kind === 'text' ? TEXT : ARGUMENTS);

interface Sample {
  readonly name: string;
  readonly make: MakeAnswer;
  readonly text: string;
}

const streams: readonly Sample[] = KINDS.flatMap((kind) =>
  [1, 2].flatMap((count) => {
    const pieces = piecesOf(original(kind), 4 - count);
    const name = `${kind}, n=${String(count)}`;
    return [
      { name: `chat stream, ${name}`, make: openaiEventStream, text: chatStream(pieces, count, kind) },
      { name: `responses stream, ${name}`, make: openaiEventStream, text: responseStream(pieces, count, kind) },
      { name: `messages stream, ${name}`, make: anthropicEventStream, text: messageStream(pieces, count, kind) },
      ...(kind === 'text'
        ? [{ name: `completions stream, ${name}`, make: openaiEventStream, text: completionStream(pieces, count) }]
        : []),
    ];
  }),
);

const plainStreams: readonly Sample[] = [
  {
    name: 'plain stream of text',
    make: plainEventStream,
    text: piecesOf(TEXT, 6)
      .map((piece) => `data: ${piece}\n\n`)
      .join(''),
  },
  { name: 'plain stream of an unknown API', make: plainEventStream, text: chatStream(piecesOf(TEXT, 3), 2, 'text') },
  {
    name: 'stream with CRLF, comments and a mark',
    make: openaiEventStream,
    text: `\ufeff: to bob@example.org\r\n\r\n${chatStream(piecesOf(TEXT, 3), 1, 'text').replaceAll('\n', '\r\n')}`,
  },
  {
    name: 'stream with CR and no last blank line',
    make: anthropicEventStream,
    text: messageStream(piecesOf(TEXT, 3), 1, 'text').replaceAll('\n', '\r').slice(0, -1),
  },
];

const message = { role: 'assistant', content: TEXT, refusal: null };
const call = { id: 'call_1', type: 'function', function: { name: 'send_mail', arguments: ARGUMENTS } };
const choices = (of: object): object[] => [0, 1].map((index) => ({ index, ...of, finish_reason: 'stop' }));
const documents: readonly Sample[] = [
  {
    name: 'chat',
    make: openaiJson,
    text: JSON.stringify({ id: 'chatcmpl-1', choices: choices({ message }) }, undefined, 1),
  },
  {
    name: 'chat with tools',
    make: openaiJson,
    text: JSON.stringify({ choices: choices({ message: { tool_calls: [call] } }) }),
  },
  { name: 'completions', make: openaiJson, text: JSON.stringify({ choices: choices({ text: TEXT }) }) },
  {
    name: 'responses',
    make: openaiJson,
    text: JSON.stringify({ output: [{ type: 'message', content: [{ type: 'output_text', text: TEXT }] }] }),
  },
  {
    name: 'embeddings',
    make: openaiJson,
    text: '{"data":[{"embedding":[0.1234567890123456789,-4.111e-3],"index":0}],"by":"bob@example.org"}',
  },
  {
    name: 'messages',
    make: anthropicJson,
    text: JSON.stringify({
      content: [
        { type: 'text', text: TEXT },
        { type: 'tool_use', input: JSON.parse(ARGUMENTS) as object },
      ],
    }),
  },
  { name: 'http json', make: plainJson, text: ARGUMENTS },
];

describe('answers that are cut anywhere', () => {
  it.each([...streams, ...plainStreams, ...documents])('give the same bytes at every cut: $name', ({ make, text }) => {
    expect(secretsIn(wholeThrough(make, text))).toEqual([]);
    expect(cutsThatMatter(make, text)).toEqual([]);
  });
});
