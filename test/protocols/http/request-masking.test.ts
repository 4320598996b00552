import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskRule } from '../../../src/core/mask.js';
import { createTextMasker } from '../../../src/masking/text-masker.js';
import type { TextMasker } from '../../../src/masking/text-masker.js';
import { anthropicRequests } from '../../../src/protocols/anthropic/requests.js';
import type { ReadBody, RequestSide } from '../../../src/protocols/http/dialect.js';
import { maskTarget } from '../../../src/protocols/http/bodies/form-masking.js';
import { maskQuery, maskRequest } from '../../../src/protocols/http/request-masking.js';
import { openaiRequests } from '../../../src/protocols/openai/requests.js';
import { bodyOf, requestOf } from './model-body.js';
import { maskRule } from '../../core/mask-rule.js';

const FORM = 'application/x-www-form-urlencoded';
const rule = (over: Partial<MaskRule> = {}): MaskRule =>
  maskRule({ entities: ['email', 'credit-card'], on: { requests: true, answers: true }, ...over });
const maskerOf = (over: Partial<MaskRule> = {}): TextMasker =>
  createTextMasker({ rules: [rule(over)], hash: (input) => new Uint8Array(32).fill(input.length) });
const redact = maskerOf();
const reversible = maskerOf({ reversible: true });

const textOf = ({ bytes }: { readonly bytes: Uint8Array }): string => Buffer.from(bytes).toString();

describe('a request in JSON', () => {
  it('keeps its bytes where nothing is found: numbers, white space, escapes, order', () => {
    const body = bodyOf(' {"b": 1.0e2,\n"a":"\\u0041","b2":[ ]}');
    expect(maskRequest(body, redact).bytes).toBe(body.bytes);
  });

  it('has strings masked decoded where they stand, and nothing else changed', () => {
    const masked = maskRequest(bodyOf('{ "n":1.00, "to":"a\\u0040example.com\\n", "x":"\\u0041" }'), redact);
    expect(textOf(masked)).toBe('{ "n":1.00, "to":"[email]\\n", "x":"\\u0041" }');
    expect([...masked.counts]).toEqual([['email', 1]]);
    expect(masked.originals.size).toBe(0);
  });

  it('has texts in base64 masked, as data URLs and beside their type, and no other base64', () => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const body = (mail: string): object => ({
      a: `data:text/csv;base64,${base64(`x;${mail}`)}`,
      b: { mimeType: 'application/json', data: base64(`{"to":"${mail}"}`) },
      c: { mimeType: 'image/png', data: 'iVBORw0KGgo=' },
      d: base64('a@example.com'),
    });
    const masked = maskRequest(bodyOf(body('a@example.com')), redact);
    expect(JSON.parse(textOf(masked))).toEqual(body('[email]'));
    expect([...masked.counts]).toEqual([['email', 2]]);
    const clean = bodyOf(body('nobody'));
    expect(maskRequest(clean, redact).bytes).toBe(clean.bytes);
  });

  it('has names masked too, and a number with a finding becomes null', () => {
    const masked = maskRequest(bodyOf('{"a@example.com":[4111111111111111, 4111111111111112]}'), redact);
    expect(textOf(masked)).toBe('{"[email]":[null, 4111111111111112]}');
  });

  it('under a reversible mask has a placeholder for each value, the same for the same', () => {
    const masked = maskRequest(
      bodyOf({ x: 'a@example.com, b@example.com, a@example.com', y: 'a@example.com 4111 1111 1111 1111' }),
      reversible,
    );
    expect(JSON.parse(textOf(masked))).toEqual({
      x: '[email_1], [email_2], [email_1]',
      y: '[email_1] [credit-card_1]',
    });
    expect([...masked.originals]).toEqual([
      ['[email_1]', 'a@example.com'],
      ['[email_2]', 'b@example.com'],
      ['[credit-card_1]', '4111 1111 1111 1111'],
    ]);
    expect([...masked.counts]).toEqual([
      ['email', 4],
      ['credit-card', 1],
    ]);
  });

  it('has placeholders that do not stand in it already', () => {
    const masked = maskRequest(bodyOf({ x: 'what is [email_1]? ask a@example.com' }), reversible);
    expect(textOf(masked)).toBe('{"x":"what is [email_1]? ask [email_2]"}');
    expect([...masked.originals.keys()]).toEqual(['[email_2]']);
  });

  it('under a reversible `hash` has pseudonyms, which stand for their values', () => {
    const masked = maskRequest(bodyOf({ x: 'a@example.com' }), maskerOf({ strategy: 'hash', reversible: true }));
    const { x } = JSON.parse(textOf(masked)) as { x: string };
    expect(x).toMatch(/^r_[a-z2-7]+@masked\.invalid$/);
    expect([...masked.originals]).toEqual([[x, 'a@example.com']]);
  });
});

const masked = (side: RequestSide, path: string, body: ReadBody, masker = redact): unknown => {
  const { places } = side.read(requestOf(path), body);
  return JSON.parse(textOf(maskRequest(body, masker, { places, contentType: 'application/json' })));
};

describe('a request to a model', () => {
  it('has arguments of tools masked as the JSON that they are, names and numbers in them too', () => {
    const call = (text: string) => ({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: text } }],
        },
      ],
    });
    const given = '{"to": "a\\u0040example.com", "n": 4111111111111111, "k":1.0}';
    expect(masked(openaiRequests, '/v1/chat/completions', bodyOf(call(given)))).toEqual(
      call('{"to": "[email]", "n": null, "k":1.0}'),
    );
    expect(masked(openaiRequests, '/v1/chat/completions', bodyOf(call('{"to": "a@example.com')))).toEqual(
      call('{"to": "[email]'),
    );
  });

  it('keeps names, ids and what is sealed; the input of a tool is content, its ids too', () => {
    const body = {
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'ask a@example.com', signature: 'c2lnbmVk' },
            {
              type: 'tool_use',
              id: 'toolu_41111111',
              name: 'f',
              input: { id: 'a@example.com', n: 4111111111111111 },
            },
          ],
        },
      ],
    };
    expect(masked(anthropicRequests, '/v1/messages', bodyOf(body))).toEqual({
      model: 'm',
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'ask [email]', signature: 'c2lnbmVk' },
            { type: 'tool_use', id: 'toolu_41111111', name: 'f', input: { id: '[email]', n: null } },
          ],
        },
      ],
    });
  });

  it('masks what stands in the place of a name, id or kind and looks like none', () => {
    const body = {
      model: 'a@example.com',
      messages: [{ role: 'a@example.com', content: 'x', id: '4111111111111111' }],
    };
    expect(masked(openaiRequests, '/v1/chat/completions', bodyOf(body))).toEqual({
      model: '[email]',
      messages: [{ role: '[email]', content: 'x', id: '[credit-card]' }],
    });
  });

  it('has text files masked in their base64', () => {
    const file = (text: string) => ({
      model: 'm',
      input: [
        {
          role: 'user',
          content: [{ type: 'input_file', filename: 'a.txt', file_data: `data:text/plain;base64,${btoa(text)}` }],
        },
      ],
    });
    expect(masked(openaiRequests, '/v1/responses', bodyOf(file('to: a@example.com')))).toEqual(file('to: [email]'));
  });

  it('has every prompt fact free of what the masks find, once it is masked', () => {
    const email = fc.constant('a@example.com');
    const text = fc.oneof(email, fc.string(), fc.string({ unit: 'binary' }));
    const part = fc.oneof(
      text.map((value) => ({ type: 'text', text: value })),
      text.map((value) => ({ type: 'hologram', value })),
      text.map((value) => ({
        type: 'file',
        file: { filename: value, file_data: Buffer.from(value).toString('base64') },
      })),
    );
    const message = fc.record({
      role: fc.oneof(fc.constantFrom('user', 'assistant'), text),
      name: text,
      content: fc.oneof(text, fc.array(part, { maxLength: 3 })),
      tool_calls: fc.array(
        fc.record({
          id: text,
          function: fc.record({
            name: text,
            arguments: fc.dictionary(text, text).map((value) => JSON.stringify(value)),
          }),
        }),
        { maxLength: 2 },
      ),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), fc.dictionary(text, text), (messages, metadata) => {
        const body = bodyOf({ model: 'm', messages, metadata });
        const again = bodyOf(JSON.stringify(masked(openaiRequests, '/v1/chat/completions', body, reversible)));
        const reading = openaiRequests.read(requestOf('/v1/chat/completions'), again);
        expect(reading.facts.llm?.['prompt']).not.toContain('a@example.com');
      }),
      { numRuns: 300 },
    );
  });
});

describe('other requests', () => {
  it('in a form have each name and value masked decoded, and encoded again', () => {
    const body = bodyOf('q=a%40example.com&x=1+2%2f&to=%22b%22+a@example.com&e=', FORM);
    expect(textOf(maskRequest(body, redact, { contentType: FORM }))).toBe(
      'q=%5Bemail%5D&x=1+2%2f&to=%22b%22+%5Bemail%5D&e=',
    );
    const plain = bodyOf('x=1+2%2f&y', FORM);
    expect(maskRequest(plain, redact, { contentType: FORM }).bytes).toBe(plain.bytes);
  });

  it('of text are masked as a whole', () => {
    expect(textOf(maskRequest(bodyOf('to a@example.com', 'text/plain'), reversible))).toBe('to [email_1]');
  });

  it('have addresses masked decoded, segment by segment, for the record', () => {
    const mask = (text: string): string => redact.maskText(text, new Map());
    expect(maskTarget({ path: '/users/a%40example.com/x%20y', query: 'to=%61%40example.com&n=+' }, mask)).toBe(
      '/users/%5Bemail%5D/x%20y?to=%5Bemail%5D&n=+',
    );
    expect(maskTarget({ path: '/users/a+b', query: '' }, mask)).toBe('/users/a+b');
  });

  it('have a query masked as a form, and counted', () => {
    const counts = new Map<string, number>();
    expect(maskQuery('q=a%40example.com&n=1', redact, counts)).toBe('q=%5Bemail%5D&n=1');
    expect([...counts]).toEqual([['email', 1]]);
  });
});
