import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/core/bytes.js';
import type { MaskCounts } from '../../../src/core/mask.js';
import { anthropicEventStream, anthropicJson } from '../../../src/protocols/anthropic/answer.js';
import type { AnswerSummary } from '../../../src/protocols/http/dialect.js';
import { plainEventStream, plainJson } from '../../../src/protocols/http/answers/plain-answer.js';
import { openaiEventStream, openaiJson } from '../../../src/protocols/openai/answer.js';
import { bytesOf } from '../../masking/support.js';
import { ARGUMENTS, maskedText, masker, optionsOf, piecesOf, TEXT } from './masked-answer.js';
import type { MakeAnswer } from './masked-answer.js';
import { chatStream, messageStream, responseStream } from './model-streams.js';

function summaryOf(make: MakeAnswer, text: string, masked: boolean, counts: MaskCounts = new Map()): AnswerSummary {
  const body = make(optionsOf({ masker: masked ? masker : undefined, counts }));
  body.push(bytesOf(text));
  body.end();
  return body.summary();
}

const USED = { inputTokens: 9, outputTokens: 12 };
/** As messages tell it, and model-streams.ts. */
const CACHED = { ...USED, cachedInputTokens: 2, cacheWriteTokens: 2 };
const used = (of: string): object => (of === 'messages' ? CACHED : USED);
const message = {
  role: 'assistant',
  content: TEXT,
  tool_calls: [{ type: 'function', function: { name: 'send_mail', arguments: '{}' } }],
};
const usage = { prompt_tokens: 9, completion_tokens: 12 };
const anthropicUsage = {
  input_tokens: 5,
  cache_creation_input_tokens: 2,
  cache_read_input_tokens: 2,
  output_tokens: 12,
};

describe('what an answer tells besides its bytes', () => {
  it.each([
    ['chat', openaiEventStream, chatStream(piecesOf(TEXT, 9), 2, 'text')],
    ['responses', openaiEventStream, responseStream(piecesOf(TEXT, 9), 2, 'text')],
    ['messages', anthropicEventStream, messageStream(piecesOf(TEXT, 9), 2, 'text')],
  ])(
    'is the text of each of two choices or blocks, masked where there is a masker, and usage: %s',
    (of, make, text) => {
      const masked = maskedText(TEXT);
      expect(summaryOf(make, text, true)).toEqual({
        usage: used(of),
        toolCalls: [],
        text: [masked, masked],
        characters: 2 * masked.length,
        begun: true,
      });
      expect(summaryOf(make, text, false)).toEqual({
        usage: used(of),
        toolCalls: [],
        text: [TEXT, TEXT],
        characters: 2 * TEXT.length,
        begun: true,
      });
    },
  );

  it.each([
    ['chat', openaiEventStream, chatStream(piecesOf(ARGUMENTS, 3), 2, 'tool arguments')],
    ['responses', openaiEventStream, responseStream(piecesOf(ARGUMENTS, 3), 2, 'tool arguments')],
    ['messages', anthropicEventStream, messageStream(piecesOf(ARGUMENTS, 3), 2, 'tool arguments')],
  ])(
    'is the names of two tools that were called, and what with, masked where there is a masker: %s',
    (of, make, text) => {
      const told = { usage: used(of), toolCalls: ['send_mail', 'send_mail'], text: [], begun: true };
      const masked = new TextDecoder().decode(masker.json(new Map()).push(bytesOf(ARGUMENTS)));
      expect(masked).not.toBe(ARGUMENTS);
      const given = (one: string) => ({ ...told, characters: 2 * one.length, toolArguments: [one, one] });
      expect(summaryOf(make, text, true)).toEqual(given(masked));
      expect(summaryOf(make, text, false)).toEqual(given(ARGUMENTS));
    },
  );

  it.each([
    ['chat', openaiJson, { choices: [{ message }], usage }],
    [
      'responses',
      openaiJson,
      {
        output: [
          { type: 'message', content: [{ type: 'output_text', text: TEXT }] },
          { type: 'function_call', name: 'send_mail', arguments: '{}' },
        ],
        usage: { input_tokens: 9, output_tokens: 12 },
      },
    ],
    [
      'messages',
      anthropicJson,
      {
        content: [
          { type: 'text', text: TEXT },
          { type: 'tool_use', name: 'send_mail', input: {} },
        ],
        usage: anthropicUsage,
      },
    ],
  ])('is read from a whole document, what was cached counted as input: %s', (of, make, document) => {
    const text = JSON.stringify(document);
    expect(summaryOf(make, text, true)).toEqual({
      usage: used(of),
      toolCalls: ['send_mail'],
      toolArguments: ['{}'],
      text: [maskedText(TEXT)],
      characters: maskedText(TEXT).length,
      begun: true,
    });
    expect(summaryOf(make, text, false)).toEqual({
      usage: used(of),
      toolCalls: ['send_mail'],
      toolArguments: ['{}'],
      text: [TEXT],
      characters: TEXT.length,
      begun: true,
    });
  });

  const thought = { role: 'assistant', reasoning_content: 'hm', content: 'yes' };
  const escaped = '{"to":"ada\\u0040example.com"}';
  const called = { function: { name: 'send_mail', arguments: escaped } };
  it.each([
    ['chat', openaiJson, JSON.stringify({ choices: [{ message: { ...thought, tool_calls: [called] } }] })],
    [
      'responses',
      openaiJson,
      JSON.stringify({
        output: [
          { type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] },
          { type: 'message', content: [{ type: 'output_text', text: 'yes' }] },
          { type: 'function_call', name: 'send_mail', arguments: escaped },
        ],
      }),
    ],
    [
      'messages',
      anthropicJson,
      JSON.stringify({
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'yes' },
          { type: 'tool_use', name: 'send_mail', input: { to: 'ada@example.com' } },
        ],
      }),
    ],
  ])('says which texts the model thought, and masks arguments as JSON: %s', (_of, make, text) => {
    const { text: texts, thoughts, toolArguments } = summaryOf(make, text, true);
    expect([texts, thoughts, toolArguments]).toEqual([['hm', 'yes'], [0], ['{"to":"[email]"}']]);
  });

  it('keeps what two tools are called with apart, one of the API’s own and one without arguments between them', () => {
    const event = (body: object): string => `data: ${JSON.stringify(body)}\n\n`;
    const added = (id: string, item: object) => event({ type: 'response.output_item.added', item: { id, ...item } });
    const custom = { type: 'custom_tool_call', name: 'exec', input: '' };
    const delta = { type: 'response.custom_tool_call_input.delta', item_id: 'c1', delta: 'ls' };
    const thinks = { type: 'response.reasoning_summary_text.delta', item_id: 'r1', delta: 'hm' };
    const stream = [
      event(thinks),
      added('c1', custom),
      event(delta),
      added('w1', { type: 'web_search_call' }),
      added('f1', { type: 'function_call', name: 'now', arguments: '' }),
    ];
    for (const masked of [true, false])
      expect(summaryOf(openaiEventStream, stream.join(''), masked)).toMatchObject({
        toolCalls: ['exec', 'web_search_call', 'now'],
        toolArguments: ['ls', '', ''],
        text: ['hm'],
        thoughts: [0],
      });
  });

  it('has begun with the first piece of text, and not before', () => {
    const body = openaiEventStream(optionsOf());
    body.push(bytesOf('data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'));
    expect(body.summary()).toEqual({ toolCalls: [], text: [], characters: 0, begun: false });
    body.push(bytesOf('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'));
    expect(body.summary().begun).toBe(true);
  });

  it('keeps 65,536 bytes of a text of 70,000 characters, and no half character', () => {
    const text = 'é'.repeat(70_000);
    const stream = chatStream(piecesOf(text, 30), 1, 'text');
    for (const masked of [true, false])
      expect(summaryOf(openaiEventStream, stream, masked).text).toEqual(['é'.repeat(32_768)]);
  });

  it('counts a value once though a response says it in five events', () => {
    const counts: MaskCounts = new Map([['email', 10]]);
    summaryOf(openaiEventStream, responseStream(['to alice@', 'example.com'], 1, 'text'), true, counts);
    expect(counts).toEqual(new Map([['email', 11]]));
  });

  it('is nothing for an API of which nothing is known', () => {
    const nothing = { toolCalls: [], text: [], characters: 0, begun: false };
    expect(summaryOf(plainEventStream, chatStream([TEXT], 1, 'text'), true)).toEqual(nothing);
    expect(summaryOf(plainJson, JSON.stringify({ content: TEXT }), true)).toEqual(nothing);
  });
});

describe('an answer without a masker', () => {
  it.each([
    ['stream', openaiEventStream],
    ['document', openaiJson],
    ['stream of messages', anthropicEventStream],
    ['message', anthropicJson],
    ['plain stream', plainEventStream],
    ['plain document', plainJson],
  ])('passes as the very parts that came, whatever is in them: %s', (_, make) => {
    const parts = ['data: {"choi', 'no JSON\n\n', '\ud800', 'x'.repeat(300), 'data: {}\n\n'].map(bytesOf);
    const body = make(optionsOf({ masker: undefined, maxEventBytes: 200 }));
    for (const part of parts) expect(body.push(part)).toBe(part);
    expect(concatBytes([body.end()])).toHaveLength(0);
  });

  it('keeps no more than 64 members of a usage, however many its events make up', () => {
    const made = Array.from({ length: 200 }, (_, at) => `data: {"choices":[],"usage":{"made_up_${String(at)}":1}}\n\n`);
    const told = `data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12}}\n\n`;
    expect(summaryOf(openaiEventStream, told + made.join(''), false).usage).toEqual(USED);
    expect(summaryOf(openaiEventStream, made.join('') + told, false).usage).toBeUndefined();
  });
});
