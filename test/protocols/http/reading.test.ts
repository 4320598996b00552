import { describe, expect, it } from 'vitest';
import { isInspectable, isTextType, mediaTypeOf } from '../../../src/protocols/http/bodies/body.js';
import { readBody } from '../../../src/protocols/http/bodies/read-body.js';
import { httpRequests } from '../../../src/protocols/http/http-requests.js';
import { bodyOf, requestOf } from './model-body.js';

const PLAIN = 'text/plain';

describe('a body', () => {
  it.each([
    ['application/json', '{"a":1}'],
    ['application/vnd.api+json', '[1]'],
    ['text/json', '"x"'],
    // Many servers read JSON whatever the type says.
    ['text/plain', ' {"a":1}'],
    ['', '[1]'],
    ['application/x-www-form-urlencoded', '{"a":1}'],
  ])('of type %j is JSON: %j', (type, text) => {
    expect(readBody(Buffer.from(text), type).json).toBeDefined();
  });

  it.each([
    ['application/json', '{"a":1}}'],
    ['application/json', '\ufeff{"a":1}'],
    ['application/json', "{'a':1}"],
    ['application/json', '{"a":NaN}'],
    ['text/plain', 'hello'],
    ['text/plain', '"hello"'],
  ])('of type %j is no JSON: %j', (type, text) => {
    const body = readBody(Buffer.from(text), type);
    expect([body.json, body.text]).toEqual([undefined, text]);
  });

  it('that is no UTF-8, or said to be of another charset, is no text', () => {
    expect(readBody(Buffer.from([0x7b, 0xff, 0x7d]), 'application/json').text).toBe('');
    expect(readBody(Buffer.from('{"a":1}', 'utf16le'), 'application/json; charset=utf-16').text).toBe('');
    expect(readBody(Buffer.from('{"a":"+AGE-"}'), 'application/json; charset="UTF-7"').json).toBeUndefined();
    expect(readBody(Buffer.from('{"a":1}'), 'application/json; charset="UTF-8"').json).toBeDefined();
  });

  it.each(['text/html', 'application/json', 'a/b+json', 'image/svg+xml', 'application/x-www-form-urlencoded'])(
    'of type %s can be read',
    (type) => {
      expect([
        isTextType(type),
        isInspectable(`${type}; charset=utf-8`),
        isInspectable(`${type};charset=utf-16`),
      ]).toEqual([true, true, false]);
    },
  );

  it.each(['image/png', 'application/octet-stream', 'multipart/form-data', 'application/pdf', ''])(
    'of type %j can’t be read',
    (type) => {
      expect(isInspectable(type)).toBe(false);
    },
  );

  it('has a media type in lower case and a charset', () => {
    expect(mediaTypeOf('Text/HTML ; Charset="UTF-8"; x=y')).toEqual({ type: 'text/html', charset: 'utf-8' });
    expect(mediaTypeOf('')).toEqual({ type: '', charset: '' });
  });
});

describe('facts of a request', () => {
  it('are its method, path, query, headers, host and JSON', () => {
    const request = requestOf('/users/a%40b%3Ax', {
      method: 'PATCH',
      host: 'api.example.com',
      query: 'a=1&b=x+y&a=2&__proto__=z',
      headers: [
        ['x-a', '1'],
        ['accept', '*/*'],
        ['x-a', '2'],
      ],
    });
    const { facts, text, endpoint, ambiguous } = httpRequests.read(request, bodyOf('{"a":{"b":[1,null]}}'));
    expect(facts.http).toEqual({
      method: 'PATCH',
      path: '/users/a@b:x',
      query: Object.fromEntries([
        ['a', ['1', '2']],
        ['b', 'x y'],
        ['__proto__', 'z'],
      ]),
      headers: { 'x-a': '1, 2', accept: '*/*' },
      host: 'api.example.com',
      body: '{"a":{"b":[1,null]}}',
      json: { a: { b: [1, null] } },
    });
    expect([facts.llm, text, endpoint, ambiguous]).toEqual([undefined, 'PATCH /users/a@b:x', '', false]);
  });

  it('hold an empty body and an empty map where nothing was read', () => {
    const { facts, uninspected } = httpRequests.read(requestOf('/', { contentType: '' }), undefined);
    expect([facts.http?.['body'], facts.http?.['json'], uninspected]).toEqual(['', {}, []]);
  });

  it.each(['{"a":1,"a":2}', '[{"x":{"a":1,"b":2,"a":1}}]', '{"a":1,"\\u0061":2}'])(
    'are ambiguous where a name stands twice: %s',
    (text) => {
      expect(httpRequests.read(requestOf('/'), bodyOf(text)).ambiguous).toBe(true);
      expect(httpRequests.read(requestOf('/', { contentType: PLAIN }), bodyOf(text, PLAIN)).ambiguous).toBe(true);
    },
  );

  it.each([
    ['application/json', '{"a":', 'a body that is no JSON'],
    ['multipart/form-data', '--x', 'a multipart body'],
    ['application/octet-stream', 'plain', 'a body that is no text'],
    ['application/x-www-form-urlencoded', 'a=%zz', 'a form with broken escapes'],
    ['application/x-www-form-urlencoded', 'a=1', undefined],
    ['text/plain', 'plain', undefined],
    ['text/plain', '', undefined],
    ['', 'plain', undefined],
  ])('name what could not be read of type %j: %j', (contentType, text, uninspected) => {
    const reading = httpRequests.read(requestOf('/', { contentType }), bodyOf(text, contentType));
    expect(reading.uninspected).toEqual(uninspected === undefined ? [] : [uninspected]);
  });

  it('name a charset that the type alone does not tell', () => {
    const headers = [['content-type', 'application/json; charset=utf-7']] as const;
    const reading = httpRequests.read(requestOf('/', { headers }), bodyOf('{"a":"+AGE-"}'));
    expect(reading.uninspected).toEqual(['a body in another charset than UTF-8']);
  });
});

describe('what is no JSON, and might be taken for it', () => {
  const told = (text: string, contentType: string): readonly string[] | undefined =>
    httpRequests.read(requestOf('/x', { contentType }), bodyOf(text, contentType)).uninspected;

  it.each([
    ['text/plain', '{"a":1} and more'],
    ['text/plain', '\uFEFF{"a":1}'],
    ['text/plain', '{"a":1}\n{"b":2}'],
    ['application/x-ndjson', '{"a":1}\nb'],
    ['', '[{"a":1}'],
  ])('of type %s is not inspected: %j', (type, text) => {
    expect(told(text, type)).toEqual(['a body that is no JSON']);
  });

  it.each([
    ['text/plain', '{ user }'],
    ['text/plain', '[INFO] started'],
    ['text/plain', '[2026-01-01] started'],
    ['application/x-ndjson', '{"a":1}\n\n{"b":2}\n'],
    ['application/graphql', '{ me { name } }'],
  ])('of type %s is text like any other: %j', (type, text) => {
    expect(told(text, type)).toEqual([]);
  });

  it('line by line is a list of what the lines mean', () => {
    const type = 'application/x-ndjson';
    const { facts } = httpRequests.read(requestOf('/x', { contentType: type }), bodyOf('{"a":1}\n{"b":[2]}\n', type));
    expect(facts.http?.['json']).toEqual([{ a: 1 }, { b: [2] }]);
    const escaped = bodyOf('{}\n{"a":"credential\\u0020dump"}', type);
    expect(httpRequests.read(requestOf('/x', { contentType: type }), escaped).facts.http?.['body']).toBe(
      '{}\n{"a":"credential dump"}',
    );
  });
});
