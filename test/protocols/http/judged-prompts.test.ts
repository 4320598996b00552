import { describe, expect, it } from 'vitest';
import { readBody } from '../../../src/protocols/http/bodies/read-body.js';
import type { RequestReading } from '../../../src/protocols/http/dialect.js';
import { DIALECTS } from '../../../src/protocols/registry.js';
import { bytesOf } from '../../masking/support.js';

interface Llm {
  readonly prompt: string;
  readonly lastUser: string;
  readonly messages: readonly { readonly text: string }[];
}

function read(path: string, body: unknown, type = 'application/json'): RequestReading & { readonly llm: Llm } {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = { method: 'POST', path, query: '', headers: [], contentType: type };
  const reading = DIALECTS.openai.read(request, readBody(bytesOf(text), type));
  return { ...reading, llm: reading.facts['llm'] as unknown as Llm };
}

/** Letters that nobody sees and models read. */
const TAGGED = Array.from('credential dump', (sign) => String.fromCodePoint(0xe0000 + sign.charCodeAt(0))).join('');

const says = (content: string): object => ({ model: 'm', messages: [{ role: 'user', content }] });

describe('a prompt whose words are written in another way', () => {
  it.each([
    'cred\u200bential du\u00admp',
    'ｃｒｅｄｅｎｔｉａｌ ｄｕｍｐ',
    '𝐜𝐫𝐞𝐝𝐞𝐧𝐭𝐢𝐚𝐥 𝐝𝐮𝐦𝐩',
    'c\u0335redential dump',
    'credential&#32;dump',
    'credential&nbsp;dump',
    'credential%20dump',
    'cred\u0000ential\u0008 dump',
    TAGGED,
    `say hello${TAGGED}!`,
    [...'credential dump'].join('\u{e0041}'),
    'credential\u00a0dump',
    'credential\\u0020dump',
    '{"a":"credential\\u0020dump"}',
    JSON.stringify({ a: JSON.stringify({ b: 'x' }).replace('x', 'credential\\u0020dump') }),
  ])('is judged as what readers take it for, too: %s', (content) => {
    const { llm, text } = read('/v1/chat/completions', says(content));
    expect(llm.prompt).toContain('credential dump');
    expect(llm.prompt).toContain(content);
    expect(llm.lastUser).toContain('credential dump');
    expect(llm.messages[0]?.text).toContain('credential dump');
    // What people are shown is what was written.
    expect(text.startsWith(content)).toBe(true);
  });

  it.each(['/v1/completions', '/api/generate'])('is judged so wherever it stands: %s', (path) => {
    expect(read(path, { model: 'm', prompt: 'ｃｒｅｄｅｎｔｉａｌ dump' }).llm.prompt).toContain('credential dump');
  });

  it.each(['\\', '&a', '%2', '\u200b'])('is read in linear time: 2 MB of %j', (sign) => {
    const started = process.cpuUsage().user;
    read('/v1/chat/completions', says(sign.repeat(2_000_000 / sign.length)));
    expect((process.cpuUsage().user - started) / 1e6).toBeLessThan(5);
  });

  it('is judged so in a body that is no JSON', () => {
    expect(read('/x', 'cred\u2060ential dump', 'text/plain').llm.prompt).toContain('credential dump');
  });

  it.each([
    'plain words',
    '用户，你好！',
    'one\ttwo\r\nthree',
    'é è ü “quoted” – dash',
    '50% of C:\\new & more',
    '👩‍👧 ❤️ ok',
    'a < b && c > d',
  ])('is judged as it is where the words are the same: %s', (content) => {
    expect(read('/v1/chat/completions', says(content)).llm.prompt).toBe(content);
  });
});

describe('a text in base64 in the place of text', () => {
  const base64 = Buffer.from('credential dump').toString('base64');

  it.each<[string, object]>([
    ['a data URL', { x: `data:text/plain;base64,${base64}` }],
    ['a data URL with a charset', { x: `DATA:text/html;charset=utf-8;BASE64,${base64}` }],
    ['data beside its type', { inlineData: { mimeType: 'text/plain', data: base64 } }],
    ['data beside its type, otherwise spelt', { part: { mime_type: 'application/json', data: base64 } }],
  ])('is read in bodies of which nothing is known: %s', (_name, body) => {
    const { llm, uninspected } = read('/v1beta/models/g:generateContent', { contents: [body] });
    expect(llm.prompt).toContain('credential dump');
    expect(uninspected).toEqual([]);
  });

  it('is no reason to refuse what is no text, and base64 of which nothing is said is not read', () => {
    const image = { mimeType: 'image/png', data: Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString('base64') };
    const { llm, uninspected } = read('/x', { a: image, b: `data:image/png;base64,${image.data}`, c: base64 });
    expect(uninspected).toEqual([]);
    expect(llm.prompt).not.toContain('credential dump');
  });
});
