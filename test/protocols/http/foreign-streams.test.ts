import { describe, expect, it } from 'vitest';
import type { AnswerBody, AnswerOptions } from '../../../src/protocols/http/dialect.js';
import { DIALECTS } from '../../../src/protocols/registry.js';
import { maskedText, piecesOf, secretsIn, TEXT, wholeThrough, type MakeAnswer } from './masked-answer.js';
import { chatTexts, messageTexts, responseTexts } from './model-clients.js';
import { chatStream, messageStream, responseStream } from './model-streams.js';

type Type = 'openai' | 'anthropic' | 'http';

/** An answer to a request of which the connection's own dialect knows nothing. */
const streamOn =
  (type: Type): MakeAnswer =>
  (options: AnswerOptions): AnswerBody =>
    DIALECTS[type].eventStream(options);

const documentOn =
  (type: Type): MakeAnswer =>
  (options: AnswerOptions): AnswerBody =>
    DIALECTS[type].json(options);

const event = (data: object, name = ''): string =>
  `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

/** Streams of servers of models that speak neither dialect: what holds a piece, and how it is read again. */
const OTHERS: readonly (readonly [name: string, piece: (text: string) => string, text: (data: never) => unknown])[] = [
  [
    'Gemini',
    (text) => event({ candidates: [{ content: { parts: [{ text }], role: 'model' } }] }),
    ({ candidates }: { candidates: [{ content: { parts: [{ text: string }] } }] }) =>
      candidates[0].content.parts[0].text,
  ],
  [
    'a typed delta',
    (text) => event({ type: 'text-delta', id: '1', delta: text }),
    ({ delta }: { delta: string }) => delta,
  ],
  ['a typed token', (text) => event({ type: 'token', text }), ({ text }: { text: string }) => text],
  ['a named token', (text) => event({ content: text }, 'token'), ({ content }: { content: string }) => content],
  [
    'events that are called message',
    (text) => event({ content: text }, 'message'),
    ({ content }: { content: string }) => content,
  ],
  [
    'a type of messages',
    (text) => event({ type: 'message', content: text }),
    ({ content }: { content: string }) => content,
  ],
  ['a family nobody knows', (text) => event({ type: 'llm.delta', text }), ({ text }: { text: string }) => text],
];

describe.each(['openai', 'anthropic', 'http'] as const)('a stream on type %s', (type) => {
  it.each(OTHERS)('of %s is one text, however it is split', (_name, piece, textOf) => {
    for (const parts of [2, 5, 30]) {
      const out = wholeThrough(streamOn(type), piecesOf(TEXT, parts).map(piece).join(''));
      expect(secretsIn(out)).toEqual([]);
      const datas = [...out.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as never);
      expect(datas.map(textOf).join('')).toBe(maskedText(TEXT));
    }
  });

  it('of the other dialect is masked as that dialect has it, wherever it was asked for', async () => {
    const pieces = piecesOf(TEXT, 12);
    const masked = [maskedText(TEXT), maskedText(TEXT)];
    const through = (stream: string): string => wholeThrough(streamOn(type), stream);
    expect(await messageTexts(through(messageStream(pieces, 2, 'text')))).toEqual(masked);
    expect(await chatTexts(through(chatStream(pieces, 2, 'text')))).toEqual(masked);
    const responses = through(responseStream(pieces, 2, 'text'));
    expect(await responseTexts(responses)).toMatchObject({ streamed: masked, whole: masked });
  });
});

describe('an event that nobody knows, between those of a known stream', () => {
  it('ends none of their texts', () => {
    const delta = (text: string): string =>
      event({ type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta: text });
    const out = wholeThrough(
      streamOn('openai'),
      delta('alice@') + event({ type: 'step', done: true }) + delta('example.com '),
    );
    expect(secretsIn(out)).toEqual([]);
    expect(out).toContain('"delta":"[email] "');
  });
});

describe('what an answer says once more, token by token', () => {
  const tokens = piecesOf(TEXT, 20).map((token) => ({ token, text: token, logprob: -0.1, bytes: [97] }));

  it.each<[string, object, object]>([
    ['OpenAI', { choices: [{ logprobs: { content: tokens } }] }, { choices: [{ logprobs: null }] }],
    [
      'Gemini',
      { candidates: [{ logprobsResult: { chosenCandidates: tokens } }] },
      { candidates: [{ logprobsResult: null }] },
    ],
    ['llama.cpp', { content: 'x', completion_probabilities: tokens }, { content: 'x', completion_probabilities: [] }],
    ['vLLM', { prompt_logprobs: [{ '12': { decoded_token: 'ali' } }] }, { prompt_logprobs: [] }],
    ['a server that calls it otherwise', { details: { tokens } }, { details: { tokens: [] } }],
  ])('is taken away, as %s has it', (_name, answer, left) => {
    for (const type of ['openai', 'anthropic'] as const)
      expect(JSON.parse(wholeThrough(documentOn(type), JSON.stringify(answer)))).toEqual(left);
  });
});

describe.each(['openai', 'anthropic'] as const)('lines of JSON on type %s', (type) => {
  const piece = (text: string): object => ({ is_finished: false, event_type: 'text-generation', text });
  const linesOf = (objects: readonly object[]): string => objects.map((line) => `${JSON.stringify(line)}\n`).join('');
  const asked = (stream: boolean) => ({
    request: { facts: {}, endpoint: '', model: '', stream, text: '', ambiguous: false },
  });
  const lines: MakeAnswer = (options) => DIALECTS[type].lines(options, 'line');

  it('are pieces of one text where a stream was asked for', () => {
    for (const parts of [2, 9, 40]) {
      const sent = [...piecesOf(TEXT, parts).map(piece), { is_finished: true, event_type: 'stream-end' }];
      const out = wholeThrough(lines, linesOf(sent), asked(true));
      expect(secretsIn(out)).toEqual([]);
      const texts = out.trimEnd().split('\n');
      const said = texts.map((line) => (JSON.parse(line) as { text?: string }).text ?? '').join('');
      expect(said).toBe(maskedText(TEXT));
    }
  });

  it('are a record each where none was: nothing of one stands in the next', () => {
    const records = linesOf([{ text: 'ask bob' }, { text: 'alice@example.com' }, { text: 'and carl' }]);
    expect(wholeThrough(lines, records, asked(false))).toBe(records.replace('alice@example.com', '[email]'));
  });
});

describe('what a part or an item of a response has already when it is added', () => {
  const data = (value: object): string => `event: x\ndata: ${JSON.stringify(value)}\n\n`;
  const at = { item_id: 'm_1', output_index: 0, content_index: 0 };
  const part = (text: string): object => ({
    type: 'response.content_part.added',
    sequence_number: 3,
    ...at,
    part: { type: 'output_text', text },
  });
  const delta = (text: string): object => ({
    type: 'response.output_text.delta',
    sequence_number: 4,
    ...at,
    delta: text,
  });
  const done = { type: 'response.output_text.done', sequence_number: 5, ...at, text: 'x' };
  const eventsOf = (out: string): Record<string, unknown>[] =>
    out
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as Record<string, unknown>);

  it('is one text with the deltas that follow', () => {
    const out = eventsOf(
      wholeThrough(streamOn('openai'), [part('to alice@'), delta('example.com '), done].map(data).join('')),
    );
    expect(out.map((one) => one['delta'] ?? (one['part'] as { text?: string } | undefined)?.text)).toEqual([
      'to ',
      '[email] ',
      undefined,
    ]);
  });

  it('goes on as a delta of the same text where none follows, and is numbered', () => {
    const out = eventsOf(wholeThrough(streamOn('openai'), [part('to bob'), done].map(data).join('')));
    expect(out.map(({ type, sequence_number }) => [type, sequence_number])).toEqual([
      ['response.content_part.added', 3],
      ['response.output_text.delta', 4],
      ['response.output_text.done', 6],
    ]);
    expect(out[1]).toMatchObject({ ...at, delta: 'bob' });
  });

  it('is one JSON text of the arguments of a tool', () => {
    const item = { type: 'function_call', id: 'f_1', call_id: 'c_1', name: 'mail', arguments: '{"to":"alice@' };
    const added = { type: 'response.output_item.added', output_index: 1, item };
    const rest = {
      type: 'response.function_call_arguments.delta',
      item_id: 'f_1',
      output_index: 1,
      delta: 'example.com"}',
    };
    const over = { type: 'response.function_call_arguments.done', item_id: 'f_1', output_index: 1, arguments: '{}' };
    const out = eventsOf(wholeThrough(streamOn('openai'), [added, rest, over].map(data).join('')));
    const texts = out.map(
      (one) => (one['delta'] ?? (one['item'] as { arguments?: string } | undefined)?.arguments ?? '') as string,
    );
    expect(JSON.parse(texts.join(''))).toEqual({ to: '[email]' });
  });
});
