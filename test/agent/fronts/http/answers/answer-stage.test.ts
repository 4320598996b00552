import { describe, expect, it } from 'vitest';
import { answerKind } from '../../../../../src/agent/fronts/http/answers/answer-stage.js';
import { DIALECTS } from '../../../../../src/protocols/registry.js';
import { bytesOf } from '../../../../masking/support.js';
import { maskedText, piecesOf, TEXT } from '../../../../protocols/http/masked-answer.js';
import { ollamaStream, ollamaTexts } from '../../../../protocols/ollama/ollama-stream.js';
import { stageOf } from '../staged-answer.js';

/** What comes of a body of this type, in parts of so many bytes. */
function masked(type: string, body: string | Buffer, size: number, narrow = false): string {
  const stage = stageOf(DIALECTS.http, type, { narrow });
  if (stage === undefined) throw new Error(`nothing looks at ${type}`);
  const bytes = typeof body === 'string' ? bytesOf(body) : body;
  const out: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) out.push(stage.push(bytes.subarray(at, at + size)));
  return Buffer.concat([...out, stage.end()]).toString();
}

const TYPES = [
  'application/x-ndjson',
  'application/json-seq',
  'application/json',
  'text/plain',
  '',
  'text/event-stream',
];

describe('lines that are pieces of one text', () => {
  it.each(TYPES)('are masked as one whatever the type says: %s', (type) => {
    for (const lines of [ollamaStream('chat', piecesOf(TEXT, 7)), ollamaStream('generate', piecesOf(TEXT, 3))])
      for (const size of [1, 50, 10_000]) expect(ollamaTexts(masked(type, lines, size)).text).toBe(maskedText(TEXT));
  });

  it.each(TYPES)('are so behind a line that is something else: %s', (type) => {
    const body = `{"hello":"alice\\u0040example.com"}\n${ollamaStream('chat', piecesOf(TEXT, 7))}`;
    const out = masked(type, body, 33);
    expect(out.startsWith('{"hello":"[email]"}\n')).toBe(true);
    expect(ollamaTexts(out).text).toBe(maskedText(TEXT));
  });

  it.each(TYPES.slice(1))('are no lines where one JSON text has several: %s', (type) => {
    const body = JSON.stringify({ to: 'alice@example.com', list: [1, { n: 1.5 }], done: false }, undefined, 2);
    for (const size of [1, 10_000]) expect(masked(type, body, size)).toBe(body.replace('alice@example.com', '[email]'));
  });
});

describe('bytes that do not say what they are, where they are masked and nothing unread may go on', () => {
  const through = (body: string | Buffer, size = 10_000): string =>
    masked('application/octet-stream', body, size, true);

  it('are masked as the text or the lines that they are, at any cut', () => {
    const lines = '{"id":"1","response":{"body":"alice\\u0040example.com"}}\n{"id":"2","mail":"bob@example.org"}\n';
    for (const size of [1, 7, 10_000]) {
      expect(through(lines, size)).toBe('{"id":"1","response":{"body":"[email]"}}\n{"id":"2","mail":"[email]"}\n');
      expect(through('Grüße 😀 an alice@example.com', size)).toBe('Grüße 😀 an [email]');
      expect(through('', size)).toBe('');
    }
  });

  it.each<[string, Buffer]>([
    ['that are none of UTF-8', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
    ['with zeros', Buffer.from('alice@example.com', 'utf16le')],
    ['of half a character', Buffer.from('Grüße').subarray(0, 3)],
    ['of a document that is printed', Buffer.from('%PDF-1.4 alice')],
    ['of archives and programs', Buffer.from('PK\x03\x04alice')],
  ])('go no further: %s', (_what, body) => {
    for (const size of [1, 10_000]) expect(() => through(body, size)).toThrow(/can not be inspected|charset/);
  });

  it('are looked at by nobody else', () => {
    expect(answerKind('GET', 200, 'application/octet-stream')).toBe('opaque');
  });
});

describe('white space before what a body is', () => {
  it.each(TYPES)('is no way to fill the memory: more than 64 KiB of it is refused, less stays (%s)', (type) => {
    const body = (blanks: number): string => `${' \n'.repeat(blanks / 2)}{"to":"alice\\u0040example.com"}\n`;
    expect(masked(type, body(60_000), 1_000)).toBe(body(60_000).replace('alice\\u0040example.com', '[email]'));
    expect(() => masked(type, body(80_000), 1_000)).toThrow('white space');
  });
});
