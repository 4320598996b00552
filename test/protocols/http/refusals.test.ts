import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { anthropicRequests } from '../../../src/protocols/anthropic/requests.js';
import type { RequestSide } from '../../../src/protocols/http/dialect.js';
import { httpRequests } from '../../../src/protocols/http/http-requests.js';
import { openaiRequests } from '../../../src/protocols/openai/requests.js';
import { bodyOf, requestOf } from './model-body.js';

const REFUSAL = { code: 'hoop_blocked', message: 'blocked by policy p/r: no "dumps"' };
const statusOf = { status: 403, ...REFUSAL };

/** A server that answers each request with a refusal, before or after its event stream has begun. */
function refusing(side: RequestSide, status: number, streams: boolean): typeof fetch {
  return (_url, init) => {
    const { body, contentType } = side.refusal({ ...REFUSAL, status });
    if (!streams) return Promise.resolve(new Response(body, { status, headers: { 'content-type': contentType } }));
    const path = new URL(_url instanceof Request ? _url.url : _url).pathname;
    const reading = side.read(requestOf(path), bodyOf(init?.body as string));
    const events = side.ping + side.ping + side.streamRefusal({ ...REFUSAL, status }, reading);
    return Promise.resolve(new Response(events, { headers: { 'content-type': 'text/event-stream' } }));
  };
}

async function failureOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('a refusal', () => {
  const openai = (status: number, streams = false): OpenAI =>
    new OpenAI({ apiKey: 'x', maxRetries: 0, fetch: refusing(openaiRequests, status, streams) });
  const anthropic = (status: number, streams = false): Anthropic =>
    new Anthropic({ apiKey: 'x', maxRetries: 0, fetch: refusing(anthropicRequests, status, streams) });
  const chat = { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] };

  it.each([
    [400, OpenAI.BadRequestError, 'invalid_request_error'],
    [401, OpenAI.AuthenticationError, 'authentication_error'],
    [403, OpenAI.PermissionDeniedError, 'permission_error'],
    [404, OpenAI.NotFoundError, 'not_found_error'],
    [413, OpenAI.APIError, 'invalid_request_error'],
    [429, OpenAI.RateLimitError, 'rate_limit_error'],
    [502, OpenAI.InternalServerError, 'server_error'],
  ])('with status %d is the usual exception of the OpenAI SDK', async (status, kind, type) => {
    const error = await failureOf(() => openai(status).chat.completions.create(chat));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({
      status,
      type,
      code: 'hoop_blocked',
      message: `${String(status)} ${REFUSAL.message}`,
    });
  });

  it.each([
    [400, Anthropic.BadRequestError, 'invalid_request_error'],
    [401, Anthropic.AuthenticationError, 'authentication_error'],
    [403, Anthropic.PermissionDeniedError, 'permission_error'],
    [404, Anthropic.NotFoundError, 'not_found_error'],
    [413, Anthropic.APIError, 'request_too_large'],
    [429, Anthropic.RateLimitError, 'rate_limit_error'],
    [502, Anthropic.InternalServerError, 'api_error'],
  ])('with status %d is the usual exception of the Anthropic SDK', async (status, kind, type) => {
    const error = await failureOf(() => anthropic(status).messages.create({ ...chat, max_tokens: 1 }));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, type, errorCode: 'hoop_blocked', apiMessage: REFUSAL.message });
  });

  it('inside of a stream, after pings, ends chat completions and responses of the OpenAI SDK with an exception', async () => {
    const runs = [
      async () => {
        for await (const chunk of await openai(403, true).chat.completions.create({ ...chat, stream: true }))
          throw new Error(`a chunk: ${JSON.stringify(chunk)}`);
      },
      async () => {
        for await (const event of await openai(403, true).responses.create({ model: 'm', input: 'hi', stream: true }))
          throw new Error(`an event: ${JSON.stringify(event)}`);
      },
    ];
    for (const run of runs) {
      const error = await failureOf(run);
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(error).toMatchObject({ code: 'hoop_blocked', type: 'permission_error' });
    }
  });

  it('inside of a stream, after pings, ends messages of the Anthropic SDK with an exception', async () => {
    const error = await failureOf(async () => {
      const body = { ...chat, max_tokens: 1, stream: true as const };
      for await (const event of await anthropic(403, true).messages.create(body))
        throw new Error(`an event: ${JSON.stringify(event)}`);
    });
    expect(error).toBeInstanceOf(Anthropic.APIError);
    expect(error).toMatchObject({ type: 'permission_error' });
  });

  it.each([
    [403, 'invalid_prompt'],
    [429, 'rate_limit_exceeded'],
    [502, 'server_error'],
  ])(
    'with status %d of the Responses API is the error event that it documents, then a failed response',
    (status, code) => {
      const reading = openaiRequests.read(
        requestOf('/v1/responses'),
        bodyOf({ model: 'm', input: 'hi', stream: true }),
      );
      const events = openaiRequests.streamRefusal({ ...REFUSAL, status }, reading);
      expect(events).toMatch(/^event: error\ndata: [^\n]+\n\nevent: response\.failed\ndata: [^\n]+\n\n$/);
      const told = [...events.matchAll(/^data: (.*)$/gm)];
      const [error, failed] = told.map(([, data = '']) => JSON.parse(data) as unknown);
      expect(error).toMatchObject({
        type: 'error',
        code: 'hoop_blocked',
        message: REFUSAL.message,
        param: null,
        sequence_number: 0,
      });
      expect(failed).toMatchObject({
        type: 'response.failed',
        sequence_number: 1,
        response: { object: 'response', status: 'failed', model: 'm', error: { code, message: REFUSAL.message } },
      });
    },
  );

  it('of any other API is a code and a message', () => {
    expect(httpRequests.refusal(statusOf)).toEqual({
      contentType: 'application/json',
      body: '{"error":{"code":"hoop_blocked","message":"blocked by policy p/r: no \\"dumps\\""}}',
    });
  });
});
