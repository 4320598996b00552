import { describe, expect, it } from 'vitest';
import { DIALECTS } from '../../../src/protocols/registry.js';
import { wholeThrough } from './masked-answer.js';

const base64 = (bytes: string | Uint8Array): string => Buffer.from(bytes).toString('base64');
const PLAIN = 'name;mail\nalice;alice@example.com\n';
const CLEAN = 'name;mail\nalice;[email]\n';
const IMAGE = Uint8Array.from({ length: 4_000 }, (_, at) => (at * 89 + (at >> 3)) & 0xff);

const AS_DOCUMENT = (value: object): unknown =>
  JSON.parse(wholeThrough((options) => DIALECTS.anthropic.json(options), JSON.stringify(value)));
const AS_EVENT = (value: object): unknown =>
  JSON.parse(
    wholeThrough((options) => DIALECTS.openai.eventStream(options), `data: ${JSON.stringify(value)}\n\n`).slice(5),
  );

describe.each([
  ['a document', AS_DOCUMENT],
  ['an event', AS_EVENT],
])('base64 in %s of a model', (_of, masked) => {
  it('is undone and masked where it says that it is text', () => {
    const value = {
      type: 'other',
      source: { type: 'base64', media_type: 'text/csv', data: base64(PLAIN) },
      link: `data:text/plain;base64,${base64(PLAIN)}`,
      json: { mimeType: 'application/json', data: base64('{"to":"alice\\u0040example.com"}') },
    };
    expect(masked(value)).toEqual({
      type: 'other',
      source: { type: 'base64', media_type: 'text/csv', data: base64(CLEAN) },
      link: `data:text/plain;base64,${base64(CLEAN)}`,
      json: { mimeType: 'application/json', data: base64('{"to":"[email]"}') },
    });
  });

  it('stays as it is where it says something else, or nothing', () => {
    const value = {
      image: { media_type: 'image/png', data: base64(IMAGE) },
      data: [{ b64_json: base64(IMAGE) }, { embedding: base64(IMAGE.subarray(0, 512)) }],
      clean: { media_type: 'text/plain', data: base64('nothing in it') },
      // Tokens and cursors are base64 of JSON: half of the APIs would break.
      next_page: base64('{"after":"alice@example.com"}'),
    };
    expect(masked(value)).toEqual(value);
  });
});
