import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anthropicEventStream, anthropicJson } from '../../../src/protocols/anthropic/answer.js';
import { plainEventStream } from '../../../src/protocols/http/answers/plain-answer.js';
import { openaiEventStream, openaiJson } from '../../../src/protocols/openai/answer.js';
import { maskedText, optionsOf, secretsIn, wholeThrough } from './masked-answer.js';
import type { MakeAnswer } from './masked-answer.js';
import { chatTexts, messageTexts } from './model-clients.js';
import { chatStream, messageStream, responseStream } from './model-streams.js';
import { bytesOf } from '../../masking/support.js';

const event = (data: unknown, name = ''): string =>
  `${name === '' ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;

/** An event in which one part, `value`, holds a secret, and what stands there then. */
const masks = (make: MakeAnswer, data: unknown): unknown =>
  JSON.parse(wholeThrough(make, event(data)).replace(/^data: /, '')) as unknown;

describe('what is not masked of an answer', () => {
  it.each([
    ['chat', openaiEventStream, chatStream(['Ends with a sign. '], 2, 'text')],
    ['responses', openaiEventStream, responseStream(['Ends with a sign. '], 2, 'text')],
    ['messages', anthropicEventStream, messageStream(['Ends with a sign. '], 2, 'text')],
  ])('passes byte for byte where nothing is found: %s stream', (_, make, text) => {
    expect(wholeThrough(make, text)).toBe(text);
  });

  it('keeps white space, number precision, escapes, order and unknown members of an event that is masked', () => {
    const odd = (content: string): string =>
      `data: { "z" : 1.50e+3,"choices":[ {"index":0 , "delta":{"content" : "${content}","x":[1,  2]},"p":"\\u00e9"}] , "a":null }\n\n`;
    expect(wholeThrough(openaiEventStream, odd('to bob@example.org. '))).toBe(odd('to [email]. '));
  });

  it('keeps ids, models, times, signatures and encrypted content as they are, and masks people in their place', () => {
    const kept = {
      id: 'chatcmpl-4000000000000002x',
      model: 'ft:gpt-4o:acme::9',
      created: 4111111111,
      system_fingerprint: 'fp_44709d6fcb',
      signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h+/4111=',
      encrypted_content: 'gAAAAABo==',
    };
    expect(masks(openaiEventStream, kept)).toEqual(kept);
    expect(
      masks(openaiEventStream, {
        id: 'alice@example.com',
        model: '4111 1111 1111 1111',
        role: '4111111111111111',
        object: '078-05-1120',
        type: 'x-078-05-1120',
        index: 4111111111111111,
      }),
    ).toEqual({
      id: '[email]',
      model: '[credit-card]',
      role: '[credit-card]',
      object: '[us-ssn]',
      type: 'x-[us-ssn]',
      index: null,
    });
  });

  it('masks names, numbers, errors, citations and unknown events, each string as a whole', () => {
    expect(
      masks(openaiEventStream, {
        error: { message: 'no alice@example.com', param: { 'bob@example.org': 4111111111111111 } },
      }),
    ).toEqual({
      error: { message: 'no [email]', param: { '[email]': null } },
    });
    expect(
      masks(anthropicEventStream, {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'citations_delta', citation: { cited_text: 'by bob@example.org' } },
      }),
    ).toEqual({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'citations_delta', citation: { cited_text: 'by [email]' } },
    });
    expect(masks(anthropicEventStream, { type: 'news', deep: [{ note: 'alice@example.com' }] })).toEqual({
      type: 'news',
      deep: [{ note: '[email]' }],
    });
  });

  it('takes log probabilities away: they hold the text once more, token by token', () => {
    const logprobs = {
      content: [
        { token: 'alice@', bytes: [97] },
        { token: 'example.com', bytes: [101] },
      ],
    };
    expect(masks(openaiEventStream, { choices: [{ index: 0, delta: {}, logprobs }] })).toEqual({
      choices: [{ index: 0, delta: {}, logprobs: null }],
    });
    expect(
      masks(openaiEventStream, { type: 'response.output_text.delta', delta: '', logprobs: [{ token: 'alice@' }] }),
    ).toEqual({ type: 'response.output_text.delta', delta: '', logprobs: [] });
  });

  it('leaves vectors and untouched documents as they are, and masks a tool input though its names look like structure', () => {
    const vectors =
      ' {"data":[{"embedding":[-0.00411111111111111111,1e-9]},{"embedding":"AAAAgD8="}],\n"usage":{"prompt_tokens":8}}';
    expect(wholeThrough(openaiJson, vectors)).toBe(vectors);
    const input = { id: 'AKIAIOSFODNN7EXAMPLE', n: 4111111111111111 };
    const out = wholeThrough(anthropicJson, JSON.stringify({ content: [{ type: 'tool_use', id: 'toolu_1', input }] }));
    expect(JSON.parse(out)).toEqual({
      content: [{ type: 'tool_use', id: 'toolu_1', input: { id: '[api-key]', n: null } }],
    });
  });

  it('masks comments, names and ids of events, and lines of data that stand apart', () => {
    const out = wholeThrough(
      openaiEventStream,
      ': to alice@example.com\nid: bob@example.org\ndata: {"choices":[],\ndata: "user":"bob@example.org"}\n\n',
    );
    expect(out).toBe(': to [email]\nid: [email]\ndata: {"choices":[],\ndata: "user":"[email]"}\n\n');
  });
});

describe('values that a request was sent without', () => {
  it('come back to the caller where the model says their placeholder, also over three events and in arguments', async () => {
    const originals = new Map([['PERSON-7', 'Zoe "Z" Quill']]);
    const pieces = ['for PER', 'SON', '-7, today'];
    const text = wholeThrough(openaiEventStream, chatStream(pieces, 1, 'text'), { originals });
    expect(await chatTexts(text)).toEqual(['for Zoe "Z" Quill, today']);
    const call = ['{"to":"PER', 'SON', '-7"}'];
    const tool = wholeThrough(openaiEventStream, chatStream(call, 1, 'tool arguments'), { originals });
    expect(await chatTexts(tool)).toEqual(['{"to":"Zoe \\"Z\\" Quill"}']);
    const input = wholeThrough(anthropicEventStream, messageStream(call, 1, 'tool arguments'), { originals });
    expect(await messageTexts(input)).toEqual([{ to: 'Zoe "Z" Quill' }]);
  });
});

describe('when a part of a text goes out', () => {
  it('sends what may go at once, and the held rest of a choice right before its finish_reason', () => {
    const body = openaiEventStream(optionsOf());
    const push = (text: string): string => new TextDecoder().decode(body.push(bytesOf(text)));
    const chunk = (index: number, content: string): string => event({ choices: [{ index, delta: { content } }] });
    expect(push(chunk(0, 'Hello, alice'))).toBe(chunk(0, 'Hello, '));
    expect(push(chunk(1, 'bob'))).toBe(chunk(1, ''));
    expect(push(chunk(0, '@example.com '))).toBe(chunk(0, '[email] '));
    const finish = event({ choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] });
    expect(push(finish)).toBe(
      event({ choices: [{ index: 1, delta: { content: 'bob' }, finish_reason: null }] }) + finish,
    );
    expect(push('data: [DONE]\n\n')).toBe('data: [DONE]\n\n');
  });

  it('puts the rest into the event itself where text and finish_reason come in one', () => {
    const last = (content: string): string =>
      event({ choices: [{ index: 0, delta: { content }, finish_reason: 'stop' }] });
    expect(wholeThrough(openaiEventStream, last('ask alice@example.com'))).toBe(last('ask [email]'));
  });

  it('gives the rest at the end where the stream ends without a word, also in the middle of a line', () => {
    const chunk = (content: string): string => event({ choices: [{ index: 0, delta: { content } }] });
    const rest = event({ choices: [{ index: 0, delta: { content: 'bob' }, finish_reason: null }] });
    expect(wholeThrough(openaiEventStream, chunk('ask bob'))).toBe(chunk('ask ') + rest);
    expect(wholeThrough(openaiEventStream, chunk('ask bob').trimEnd())).toBe(chunk('ask ') + rest);
  });

  it('gives every known and unknown delta its own text: nothing of one is found in another', () => {
    const names = ['content', 'refusal', 'reasoning_content', 'unheard_of'];
    const stream = ['alice@', 'example.com', ' and'].map((part) =>
      event({ choices: [{ index: 0, delta: Object.fromEntries(names.map((name) => [name, part])) }] }),
    );
    const out = wholeThrough(openaiEventStream, stream.join(''));
    expect(out.match(/\[email\]/g)).toHaveLength(4);
    expect(out).not.toContain('example.com');
  });
});

describe('deltas that are no strings', () => {
  it.each([
    ['with their dialect', openaiEventStream],
    ['as of an unknown API', plainEventStream],
  ])('have a text for each path: the Assistants API, %s', (_, make) => {
    const delta = (...values: string[]): string =>
      event(
        { id: 'msg_1', delta: { content: values.map((value, index) => ({ index, type: 'text', text: { value } })) } },
        'thread.message.delta',
      );
    const out = wholeThrough(make, delta('ask alice@', 'a') + delta('example.com', 'b'));
    expect(out).toBe(delta('ask ', '') + delta('', '') + delta('[email]', '') + delta('', 'ab'));
  });
});

describe('an answer that can not be read', () => {
  it.each([
    ['no JSON', openaiEventStream, 'data: alice@example.com\n\n'],
    ['JSON that breaks off', anthropicEventStream, 'data: {"type":"content_block_delta"'],
    ['a name twice', openaiEventStream, 'data: {"choices":[{"delta":{"content":"a","content":"b"}}]}\n\n'],
    ['a document that is none', openaiJson, '<html>alice@example.com</html>'],
  ])('is a fault and gives nothing: %s', (_, make, text) => {
    const body = make(optionsOf());
    const run = (): Uint8Array[] => [body.push(bytesOf(text)), body.end()];
    expect(run).toThrow(expect.objectContaining({ code: 'protocol' }));
    expect(() => wholeThrough(make, text, { masker: undefined })).not.toThrow();
  });

  it('gives nothing any more after a fault, whatever follows', () => {
    const body = openaiEventStream(optionsOf());
    expect(() => body.push(bytesOf('data: {\n\n'))).toThrow();
    expect(() => body.push(bytesOf('data: [DONE]\n\n'))).toThrow(expect.objectContaining({ code: 'protocol' }));
    expect(() => body.end()).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  it('is a fault where a text goes on after its end: half a value may have gone out before it', () => {
    const chunk = (content: string, finish: string | null): string =>
      event({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
    expect(() => wholeThrough(openaiEventStream, chunk('alice@', 'stop') + chunk('example.com', null))).toThrow(
      expect.objectContaining({ code: 'protocol' }),
    );
  });

  it('refuses a document of 101 bytes that has to be masked when the limit is 100', () => {
    const document = JSON.stringify({ a: 'x'.repeat(93) });
    expect(document).toHaveLength(101);
    expect(() => wholeThrough(openaiJson, document, { maxEventBytes: 100 })).toThrow(
      expect.objectContaining({ code: 'limit' }),
    );
    expect(wholeThrough(openaiJson, document, { maxEventBytes: 101 })).toBe(document);
  });
});

describe('texts cut at random', () => {
  const words = fc.array(
    fc.constantFrom(
      'alice@example.com',
      '4111 1111 1111 1111',
      ' ',
      'ask',
      '😀',
      '\n',
      'é',
      '"',
      '\\',
      '078-05-1120',
      ', ',
    ),
    { minLength: 1, maxLength: 12 },
  );
  const cut = (text: string, sizes: readonly number[]): string[] => {
    const pieces: string[] = [];
    let at = 0;
    for (const size of sizes) pieces.push(text.slice(at, (at += size)));
    return [...pieces, text.slice(at)];
  };

  // Beside other digits or letters a value is none: then it stays in the masked whole too.
  it('come out as the masked whole, with no secret in any byte that is not in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        words,
        fc.array(fc.nat(6), { maxLength: 20 }),
        fc.integer({ min: 1, max: 2 }),
        async (list, sizes, count) => {
          const text = list.join('');
          const pieces = cut(text, sizes);
          const chat = wholeThrough(openaiEventStream, chatStream(pieces, count, 'text'));
          const allowed = secretsIn(maskedText(text));
          expect(secretsIn(chat).filter((secret) => !allowed.includes(secret))).toEqual([]);
          expect(await chatTexts(chat)).toEqual(Array<string>(count).fill(maskedText(text)));
          const message = wholeThrough(anthropicEventStream, messageStream(pieces, count, 'text'));
          expect(secretsIn(message).filter((secret) => !allowed.includes(secret))).toEqual([]);
          expect(await messageTexts(message)).toEqual(Array<string>(count).fill(maskedText(text)));
        },
      ),
      { numRuns: 60 },
    );
  });
});
