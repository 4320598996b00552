import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../src/core/bytes.js';
import type { AnswerBody } from '../../../../src/protocols/http/dialect.js';
import { maskBodyPaths } from '../../../../src/protocols/http/bodies/json-bodies.js';
import { PathMaskedBody } from '../../../../src/protocols/http/bodies/path-masked-body.js';
import type { PathMaskOptions } from '../../../../src/protocols/http/bodies/path-masking.js';
import { maskRule } from '../../../core/mask-rule.js';

const options: PathMaskOptions = {
  rules: [maskRule({ paths: [{ steps: [{ deep: true, select: 'ssn' }] }] })],
  hash: (input) => input,
  counts: new Map(),
};
const open = (contentType: string, maxBytes = 1_000, next?: AnswerBody): PathMaskedBody =>
  new PathMaskedBody(next, { ...options, contentType, maxBytes });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (part: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(part);

const SAMPLES: readonly [string, string][] = [
  ['application/json', '\uFEFF{ "é": {"ssn": "123"}, "list": [ {"ssn":[1]} ] }\n'],
  ['application/x-ndjson', '{"ssn":"1"}\r\n\r\n{"é":2}\n{"ssn":"3"}'],
  ['text/event-stream', 'event: é\r\ndata: {"ssn":"1"}\r\n\r\ndata: {"a":1}\n\ndata: [DONE]\n\n'],
  ['text/plain', ' \n {"ssn":"é"}'],
  ['text/html', '<p>é {"ssn":"1"}</p>'],
  ['', ''],
];

describe('PathMaskedBody', () => {
  it.each(SAMPLES)('gives of %s at every cut of two what masking the whole gives', (type, sample) => {
    const whole = bytes(sample);
    const expected = maskBodyPaths(sample, type, options) ?? sample;
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const body = open(type);
      const parts = [body.push(whole.subarray(0, cut)), body.push(whole.subarray(cut)), body.end()];
      expect(text(concatBytes(parts))).toBe(expected);
    }
  });

  it('gives the same whatever the cuts', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SAMPLES), fc.array(fc.nat(7), { minLength: 1 }), ([type, sample], sizes) => {
        const whole = bytes(sample);
        const body = open(type);
        const out: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < whole.length; turn += 1) {
          const size = (sizes[turn % sizes.length] ?? 0) + 1;
          out.push(body.push(whole.subarray(at, at + size)));
          at += size;
        }
        out.push(body.end());
        expect(text(concatBytes(out))).toBe(maskBodyPaths(sample, type, options) ?? sample);
      }),
    );
  });

  it('holds a JSON text until it is whole, of events what is no whole line, of other content nothing', () => {
    expect(text(open('application/json').push(bytes('{"a":1}')))).toBe('');
    expect(text(open('text/event-stream').push(bytes('data: {"ssn":"1"}\ndata: {"ssn')))).toBe(
      'data: {"ssn":"[masked]"}\n',
    );
    const image = open('image/png', 4);
    expect(image.push(Uint8Array.of(0x89, 0x50, 0xff, 0, 1, 2, 3))).toEqual(
      Uint8Array.of(0x89, 0x50, 0xff, 0, 1, 2, 3),
    );
    expect(image.push(bytes('{"ssn":"1"}'))).toEqual(bytes('{"ssn":"1"}'));
  });

  it('refuses a text and a line of 11 bytes where 10 are held, and not many lines', () => {
    for (const type of ['application/json', 'text/event-stream', 'text/plain'])
      expect(() => open(type, 10).push(bytes('[1,2,3,4,5,'))).toThrow(expect.objectContaining({ code: 'limit' }));
    const lines = open('application/x-ndjson', 10);
    for (let number = 0; number < 100; number += 1) expect(text(lines.push(bytes('{"a":1}\n')))).toBe('{"a":1}\n');
  });

  it.each([
    ['application/json', bytes('{"ssn":"1"')],
    ['application/json', Uint8Array.of(0x22, 0xff, 0x22)],
    ['text/event-stream', bytes('data: {"ssn":\n')],
  ])('lets nothing out of %s that is broken', (type, broken) => {
    const body = open(type);
    expect(() => {
      expect(body.push(broken)).toHaveLength(0);
      body.end();
    }).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  it('gives what it masked to the next stage, and that stage’s summary', () => {
    const seen: string[] = [];
    const next: AnswerBody = {
      push: (part) => {
        seen.push(text(part));
        return bytes('<');
      },
      end: () => bytes('>'),
      summary: () => ({ toolCalls: ['x'], text: [], characters: 0, begun: true }),
    };
    const body = open('application/json', 100, next);
    body.push(bytes('{"ssn":'));
    body.push(bytes('"1"}'));
    expect(text(body.end())).toBe('<>');
    expect(seen).toEqual(['{"ssn":"[masked]"}']);
    expect(body.summary().toolCalls).toEqual(['x']);
  });
});
