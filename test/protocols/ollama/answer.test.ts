import { describe, expect, it } from 'vitest';
import { OLLAMA_TEXTS, ollamaJson } from '../../../src/protocols/ollama/answer.js';
import { answerLines } from '../../../src/protocols/http/answers/answer-lines.js';
import { DIALECTS } from '../../../src/protocols/registry.js';
import type { AnswerOptions } from '../../../src/protocols/http/dialect.js';
import { bytesOf } from '../../masking/support.js';
import {
  cutsThatMatter,
  maskedText,
  optionsOf,
  piecesOf,
  secretsIn,
  TEXT,
  through,
  wholeThrough,
} from '../http/masked-answer.js';
import { ollamaStream, ollamaTexts } from './ollama-stream.js';

const lines = (options: AnswerOptions) => DIALECTS.openai.lines(options, 'line');
const plainLines = (options: AnswerOptions) => DIALECTS.http.lines(options, 'line');
const sequence = (options: AnswerOptions) => DIALECTS.http.lines(options, 'unknown');

describe('a stream of Ollama, JSON line by line', () => {
  it.each(
    (['chat', 'generate'] as const).flatMap((kind) =>
      [1, 2, 10, TEXT.length].map((parts) => ({ kind, parts, text: ollamaStream(kind, piecesOf(TEXT, parts)) })),
    ),
  )('is masked as one text: $kind in $parts pieces', ({ text }) => {
    for (const make of [lines, plainLines]) {
      const out = wholeThrough(make, text);
      expect(secretsIn(out)).toEqual([]);
      expect(ollamaTexts(out)).toEqual({ text: maskedText(TEXT), thinking: maskedText(TEXT) });
    }
  });

  it('keeps every line that has nothing to mask, byte for byte', () => {
    const text = ollamaStream('chat', ['All ', 'well. ']);
    expect(wholeThrough(lines, text)).toBe(text);
  });

  it('brings arguments of tools whole and masked', () => {
    const call = { function: { name: 'send_mail', arguments: { to: 'alice@example.com', n: 4111111111111111 } } };
    const text = `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: '', tool_calls: [call] }, done: false })}\n`;
    const out = wholeThrough(lines, text);
    expect(secretsIn(out)).toEqual([]);
    expect(out).toContain('{"to":"[email]","n":null}');
  });

  it('ends a text that broke off with a line of the same shape', () => {
    const text = ollamaStream('chat', ['write to alice@example', '.com']).split('\n').slice(0, -2).join('\n');
    const out = wholeThrough(lines, text);
    expect(ollamaTexts(out).text).toBe('write to [email]');
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toHaveLength(6);
  });

  it('ends with the line that holds 50,000 tokens, and what was held of the text', () => {
    const last = {
      model: 'm',
      response: '',
      done: true,
      context: Array.from({ length: 50_000 }, (_, id) => 100_000 + id),
    };
    const out = wholeThrough(
      lines,
      `${JSON.stringify({ model: 'm', response: 'to alice@example', done: false })}\n${JSON.stringify(last)}\n`,
    );
    const [first, second] = out
      .split('\n')
      .map((line) => (line === '' ? undefined : (JSON.parse(line) as typeof last)));
    expect([first?.response, second?.response]).toEqual(['to ', 'alice@example']);
    expect(second?.context).toEqual(last.context);
  });

  it('tells usage, tools and text, masked or not', () => {
    for (const masker of [optionsOf().masker, undefined]) {
      const body = lines(optionsOf({ masker }));
      body.push(bytesOf(ollamaStream('chat', ['all ', 'is well'])));
      body.end();
      expect(body.summary()).toMatchObject({
        usage: { inputTokens: 26, outputTokens: 12 },
        text: ['all is well', 'all is well'],
        begun: true,
      });
    }
  });

  it('is told of in one document too', () => {
    const document = { model: 'm', message: { role: 'assistant', content: TEXT }, done: true, eval_count: 3 };
    const body = ollamaJson(optionsOf());
    body.push(bytesOf(JSON.stringify(document)));
    body.end();
    expect(body.summary()).toMatchObject({ usage: { inputTokens: 0, outputTokens: 3 }, text: [maskedText(TEXT)] });
  });

  it('is refused where a name stands twice in a line', () => {
    expect(() =>
      wholeThrough(lines, '{"model":"m","response":"a","response":"alice@example.com","done":false}\n'),
    ).toThrow('twice');
  });
});

describe('other lines', () => {
  const records = ['{"text":"call john"}', '{"text": "Smith, alice\\u0040example.com", "n": 1.50}', 'no JSON', ''];

  it('are each a text of their own, and nothing of one goes into the next', () => {
    const out = wholeThrough(plainLines, records.join('\n'));
    expect(out).toBe('{"text":"call john"}\n{"text": "Smith, [email]", "n": 1.50}\nno JSON\n');
  });

  it('go on as they come where they are longer than a piece of a text is', () => {
    const body = plainLines(optionsOf());
    const head = body.push(bytesOf(`{"text":"${'word '.repeat(220_000)}`));
    expect(head.length).toBeGreaterThan(1024 * 1024);
    const rest = Buffer.concat([body.push(bytesOf('alice@example.com"}\n')), body.end()]).toString();
    expect(rest).toBe('[email]"}\n');
  });

  it('may be a sequence with separators, whose texts have several lines', () => {
    const text = '\x1e{\n "to": "alice\\u0040example.com"\n}\n\x1e{"to":"bob@example.org"}\n';
    expect(wholeThrough(sequence, text)).toBe('\x1e{\n "to": "[email]"\n}\n\x1e{"to":"[email]"}\n');
    expect(cutsThatMatter(sequence, text)).toEqual([]);
  });

  it('of a sequence are masked as one text where their way is known', () => {
    const text = ollamaStream('chat', piecesOf(TEXT, 3)).replace(/^(?=.)/gm, '\x1e');
    const out = wholeThrough(sequence, text);
    expect(ollamaTexts(out.replaceAll('\x1e', ''))).toMatchObject({ text: maskedText(TEXT) });
    expect(out.match(/^\x1e/gm)).toHaveLength(out.trimEnd().split('\n').length);
    expect(cutsThatMatter(sequence, text)).toEqual([]);
  });
});

describe('JSON of which is not told how its texts are parted', () => {
  const unknown = (options: AnswerOptions) => DIALECTS.http.lines(options, 'unknown');

  it('is one text of several lines, or lines that are pieces of one', () => {
    const document = '{\n "to": "alice\\u0040example.com",\n "n": 1.50\n}\n';
    expect(wholeThrough(unknown, document)).toBe('{\n "to": "[email]",\n "n": 1.50\n}\n');
    expect(cutsThatMatter(unknown, document)).toEqual([]);
    const text = ollamaStream('generate', piecesOf(TEXT, 5));
    const behind = `{"to":"alice\\u0040example.com"}\n${text}`;
    expect(wholeThrough(unknown, behind)).toBe(`{"to":"[email]"}\n${wholeThrough(unknown, text)}`);
    expect(ollamaTexts(wholeThrough(unknown, text)).text).toBe(maskedText(TEXT));
  });
});

describe('a stream that is cut anywhere', () => {
  it.each(['chat', 'generate'] as const)('gives the same bytes: %s', (kind) => {
    expect(cutsThatMatter(lines, ollamaStream(kind, piecesOf('é😀 alice@example.com, 4111111111111111', 3)))).toEqual(
      [],
    );
  });

  it('gives the same bytes with CRLF and without a last line end', () => {
    const text = ollamaStream('chat', piecesOf('to alice@example.com', 3)).replaceAll('\n', '\r\n').slice(0, -2);
    expect(cutsThatMatter(lines, text)).toEqual([]);
    expect(through(lines, [bytesOf(text)])).not.toContain('alice');
  });

  it('shows nothing of a credential that is split over lines, where nothing is masked', async () => {
    const { piecesOf: credentialOf } = await import('../../../src/protocols/http/credentials/credential-pieces.js');
    const text = ollamaStream('generate', ['the key is sk-live-0123456', '789abcdefghij and more']);
    const out = wholeThrough(
      (options) => answerLines(options, [OLLAMA_TEXTS], { plain: false, parted: 'line' }),
      text,
      {
        masker: undefined,
        credential: credentialOf(['sk-live-0123456789abcdefghij']),
      },
    );
    expect(ollamaTexts(out).text).not.toMatch(/live|789abc/);
  });
});
