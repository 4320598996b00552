import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaskRule } from '../../../../src/core/mask.js';
import { createTextMasker } from '../../../../src/masking/text-masker.js';
import { readMultipart } from '../../../../src/protocols/http/bodies/multipart.js';
import { readBody } from '../../../../src/protocols/http/bodies/read-body.js';
import { maskRequest } from '../../../../src/protocols/http/request-masking.js';
import { DIALECTS } from '../../../../src/protocols/registry.js';
import { requestOf } from '../model-body.js';
import { maskRule } from '../../../core/mask-rule.js';

const TYPE = 'multipart/form-data; boundary=XyZ';
const field = (name: string, text: string, headers = ''): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="${name}"\r\n${headers}\r\n${text}\r\n`;
const file = (name: string, fileName: string, type: string, text: string): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="${name}"; filename="${fileName}"\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
const whole = (...parts: string[]): Buffer => Buffer.from(`${parts.join('')}--XyZ--\r\n`);

describe('a form in parts', () => {
  it('is taken apart: fields, files that are text, and what is not', () => {
    const body = whole(
      field('model', 'whisper-1'),
      field('prompt', 'Über\r\nlines'),
      file('file', 'notes.txt', 'text/plain', 'hello'),
      file('data', 'x.bin', 'application/octet-stream', 'plain all the same'),
      file('sound', 'a.mp3', 'audio/mpeg', 'ID3'),
      file('wide', 'w.txt', 'text/plain; charset=utf-16', 'x'),
      field('none', ''),
    );
    expect(readMultipart(body, TYPE)?.map(({ name, fileName, content }) => [name, fileName, content])).toEqual([
      ['model', undefined, { text: 'whisper-1' }],
      ['prompt', undefined, { text: 'Über\r\nlines' }],
      ['file', 'notes.txt', { text: 'hello' }],
      ['data', 'x.bin', { text: 'plain all the same' }],
      ['sound', 'a.mp3', { unread: 'audio' }],
      ['wide', 'w.txt', { unread: 'a part in another charset than UTF-8' }],
      ['none', undefined, { text: '' }],
    ]);
  });

  it.each([
    ['a preamble', Buffer.concat([Buffer.from('hello\r\n'), whole(field('a', 'b'))])],
    ['an epilogue', Buffer.concat([whole(field('a', 'b')), Buffer.from('more')])],
    ['no end', Buffer.from(field('a', 'b'))],
    ['no part', Buffer.from('--XyZ--\r\n')],
    ['the boundary within a part', whole(field('a', 'b --XyZ c'))],
    ['a delimiter by LF alone', whole(field('a', 'b\n--XyZ\nContent-Disposition: form-data; name="c"\n\nd'))],
    ['a longer boundary', whole(field('a', 'b\r\n--XyZ2\r\n'))],
    ['white space behind a delimiter', Buffer.from(whole(field('a', 'b')).toString().replace('XyZ\r\n', 'XyZ \r\n'))],
    ['a folded header', whole(field('a', 'b', 'Content-Type: text/plain;\r\n charset=utf-16\r\n'))],
    ['a header twice', whole(field('a', 'b', 'Content-Disposition: form-data; name="c"\r\n'))],
    ['an encoded part', whole(field('a', 'Yg==', 'Content-Transfer-Encoding: base64\r\n'))],
    ['an unknown header', whole(field('a', 'b', 'Content-Encoding: gzip\r\n'))],
    ['a second name', whole(field('a"; name="c', 'b'))],
    ['a second spelling of a name', whole(field(`a"; filename*=utf-8''x; x="`, 'b'))],
    ['an escaped name', whole(field('a\\"b', 'c'))],
    ['a charset for all', whole(field('_charset_', 'utf-16'))],
    ['no name', whole('--XyZ\r\nContent-Disposition: form-data\r\n\r\nx\r\n')],
    ['no header at all', whole('--XyZ\r\n\r\nx\r\n')],
    ['a length that is none', whole(field('a', 'b', 'Content-Length: x\r\n'))],
  ])('with %s is none that can be taken apart', (_, body) => {
    expect(readMultipart(body, TYPE)).toBeUndefined();
  });

  it.each([
    'multipart/form-data',
    'multipart/mixed; boundary=XyZ',
    'multipart/form-data; boundary=XyZ; boundary=Q',
    'multipart/form-data; boundary=XyZ; Boundary="Q"',
    'multipart/form-data; boundary="X\\yZ"',
  ])('of type %s is none either', (type) => {
    expect(readMultipart(whole(field('a', 'b')), type)).toBeUndefined();
  });

  it('never fails, and tells only what stands in it, whatever the bytes', () => {
    const sign = fc.constantFrom(
      '--XyZ',
      '\r\n',
      '\n',
      'Content-Disposition: form-data; name="a"',
      ':',
      '"',
      'é',
      '--',
    );
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
        const body = Buffer.from(signs.join(''));
        for (const { at, content } of readMultipart(body, TYPE) ?? [])
          if ('text' in content) expect(body.subarray(at.from, at.to).toString()).toBe(content.text);
      }),
    );
  });
});

describe('what a form in parts says to a model', () => {
  const read = (path: string, body: Buffer, type = TYPE) =>
    DIALECTS.openai.read(requestOf(path, { contentType: 'multipart/form-data' }), readBody(body, type));

  it('is its fields and text files; the model is known, and sound is told as not inspected', () => {
    const body = whole(
      field('model', 'whisper-1'),
      field('prompt', 'The credential dump'),
      field('stream', 'true'),
      file('file', 'secret-meeting.mp3', 'audio/mpeg', 'ID3'),
    );
    const reading = read('/v1/audio/transcriptions', body);
    expect(reading).toMatchObject({
      endpoint: 'audio.transcriptions',
      model: 'whisper-1',
      stream: true,
      ambiguous: false,
      uninspected: ['audio'],
    });
    expect(reading.facts.llm).toMatchObject({
      model: 'whisper-1',
      prompt: 'The credential dump\ntrue\nsecret-meeting.mp3',
      lastUser: 'The credential dump',
    });
  });

  it('is each line of a batch, with escapes and without', () => {
    const lines = [
      '{"custom_id":"1","body":{"model":"m","messages":[{"role":"user","content":"cr\\u0065dential dump"}]}}',
      '{"custom_id":"2","body":{"model":"m","messages":[]}}',
    ];
    const body = whole(field('purpose', 'batch'), file('file', 'b.jsonl', 'application/jsonl', lines.join('\n')));
    const reading = read('/v1/files', body);
    expect(reading.endpoint).toBe('');
    expect(reading.facts.llm?.['prompt']).toContain('credential dump');
    expect(reading.facts.http?.['body']).toContain('purpose=batch');
    expect(reading.uninspected).toEqual([]);
  });

  it('means two things where the model is named twice, or in other capitals', () => {
    const twice = whole(field('model', 'cheap'), field('model', 'dear'));
    const folded = whole(field('model', 'cheap'), field('Model', 'dear'));
    const list = whole(field('include[]', 'a'), field('include[]', 'b'));
    expect([twice, folded, list].map((body) => read('/v1/images/edits', body).ambiguous)).toEqual([true, true, false]);
  });

  it('can’t be told where the parts can’t be', () => {
    const body = Buffer.concat([Buffer.from('x\r\n'), whole(field('prompt', 'hello'))]);
    const reading = read('/v1/audio/transcriptions', body);
    expect([reading.facts.llm, reading.uninspected]).toEqual([undefined, ['a multipart body']]);
  });
});

describe('masks on a form in parts', () => {
  const rule = maskRule({ entities: ['email', 'credit-card'], on: { requests: true, answers: true } });
  const hash = (input: Uint8Array): Uint8Array => new Uint8Array(32).fill(input.length);
  const masked = (body: Buffer, over: Partial<MaskRule> = {}) =>
    maskRequest(readBody(body, TYPE), createTextMasker({ rules: [{ ...rule, ...over }], hash }), {
      contentType: 'multipart/form-data',
    });

  it('meet fields, names of files, files, JSON in them line by line, and the lengths that parts tell', () => {
    const body = whole(
      field('prompt', 'to ann@example.com', 'Content-Length: 18\r\n'),
      file('file', 'ann@example.com.txt', 'text/plain', 'é bo@example.com'),
      file('batch', 'b.jsonl', 'application/jsonl', '{"a": "c\\u0040example.com"}\n{"n": 1.0}'),
    );
    const { bytes, counts } = masked(body);
    expect(Buffer.from(bytes).toString()).toBe(
      whole(
        field('prompt', 'to [email]', 'Content-Length: 10\r\n'),
        file('file', '[email]', 'text/plain', 'é [email]'),
        file('batch', 'b.jsonl', 'application/jsonl', '{"a": "[email]"}\n{"n": 1.0}'),
      ).toString(),
    );
    expect([...counts]).toEqual([['email', 4]]);
  });

  it('leave every byte where nothing is found, and never touch the delimiters', () => {
    const card = '4111111111111111';
    const text = whole(field('a', 'b')).toString().replaceAll('XyZ', card);
    const read = readBody(Buffer.from(text), `multipart/form-data; boundary=${card}`);
    const { bytes } = maskRequest(read, createTextMasker({ rules: [rule], hash }), {});
    expect(bytes).toBe(read.bytes);
  });

  it('write no sign into a file’s name that would end it', () => {
    const body = whole(file('file', 'ann@example.com', 'text/plain', 'x'));
    const { bytes } = masked(body, { strategy: 'replace', with: 'x"; name="y\r\nEvil: 1' });
    const parts = readMultipart(bytes, TYPE);
    expect(parts?.map(({ name, fileName }) => [name, fileName])).toEqual([['file', 'x%22; name=%22y%0D%0AEvil: 1']]);
  });
});
