import { describe, expect, it } from 'vitest';
import { parseHttpInput } from '../../../src/client/exec/http-input.js';

describe('parseHttpInput', () => {
  it.each([
    ['openai', '{"model":"m","messages":[]}', '/v1/chat/completions', 'chat'],
    ['openai', '{"model":"m","input":"x"}', '/v1/responses', 'responses'],
    ['openai', '\n {"model":"m","prompt":"x"}', '/v1/completions', 'completions'],
    ['anthropic', '{"model":"m","messages":[]}', '/v1/messages', 'messages'],
  ] as const)('sends to %s the body %s as POST %s', (type, text, path, endpoint) => {
    const input = parseHttpInput(text, type);
    expect(input).toMatchObject({ method: 'POST', path, endpoint, body: text.trimStart() });
    expect(input.headers['content-type']).toBe('application/json');
  });

  it('keeps a body as it was written, to the last space', () => {
    const body = '{ "messages" : [ ] , "max_tokens":1e3 }\n';
    expect(parseHttpInput(body, 'anthropic').body).toBe(body);
  });

  it('takes a request line alone', () => {
    expect(parseHttpInput('GET /customers/42?full=1 HTTP/1.1\r\n', 'http')).toEqual({
      method: 'GET',
      path: '/customers/42?full=1',
      headers: { accept: '*/*' },
      body: '',
      endpoint: undefined,
    });
  });

  it.each([
    ['on the same line', 'POST /v1/embeddings {"model":"m"}'],
    ['on the next line', 'POST /v1/embeddings\n{"model":"m"}'],
    ['after an empty line', 'POST /v1/embeddings\r\n\r\n{"model":"m"}'],
  ])('takes a JSON body %s', (_where, text) => {
    expect(parseHttpInput(text, 'openai')).toMatchObject({ path: '/v1/embeddings', body: '{"model":"m"}' });
  });

  it('takes headers, which go before the defaults, and a body that is no JSON', () => {
    const input = parseHttpInput('PUT /a\nX-Trace: 1: 2\nContent-Type: text/csv\n\na,b\n\n1,2\n', 'http');
    expect(input.headers).toEqual({ accept: '*/*', 'content-type': 'text/csv', 'x-trace': '1: 2' });
    expect(input.body).toBe('a,b\n\n1,2\n');
  });

  it('knows the endpoint of a request line by its path, query aside', () => {
    expect(parseHttpInput('POST /v1/messages?beta=true {"x":1}', 'anthropic').endpoint).toBe('messages');
    expect(parseHttpInput('POST /v1/messages {"x":1}', 'openai').endpoint).toBeUndefined();
  });

  it.each([
    ['openai', '{"model":"m"}', 'does not say where'],
    ['anthropic', '{"prompt":"x"}', 'does not say where'],
    ['http', '{"messages":[]}', 'does not say where'],
    ['openai', '{"messages":', 'no JSON'],
    ['openai', 'Hello there', 'begins with no request'],
    ['http', 'GET customers', 'begins with no request'],
    ['http', 'GET /a b', 'begins with no request'],
    ['http', 'get /a', 'begins with no request'],
    ['openai', 'POST /v1/embeddings\\n{"model":"m"}', 'holds a backslash'],
    ['http', 'POST /a\nhello', 'is no header'],
    ['http', 'POST /a\nX: 1\nx: 2\n\n', 'given twice'],
    ['http', 'POST /a\nHost: elsewhere\n\n', 'hoop’s own'],
    ['http', 'POST /a\nTransfer-Encoding: chunked\n\n', 'hoop’s own'],
    ['openai', 'GET /v1/models\nAuthorization: Bearer x\n', 'hoop’s own'],
    ['anthropic', 'GET /v1/models\nx-api-key: x\n', 'hoop’s own'],
  ] as const)('refuses for %s: %s', (type, text, message) => {
    expect(() => parseHttpInput(text, type)).toThrow(message);
  });
});
