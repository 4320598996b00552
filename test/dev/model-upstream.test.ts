import { gunzipSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ModelUpstream } from '../../src/dev/model-upstream/model-upstream.js';
import { scriptOf } from '../../src/dev/model-upstream/script.js';
import { steeringOf } from '../../src/dev/model-upstream/steering.js';
import { MODEL_PROGRAMS } from '../support/model-programs/all-programs.js';

const KEYS = { openai: 'sk-upstream', anthropic: 'ak-upstream' };
let upstream: ModelUpstream;

beforeAll(async () => {
  upstream = await ModelUpstream.start({ openaiKey: KEYS.openai, anthropicKey: KEYS.anthropic });
});
afterAll(() => upstream.close());

interface Got {
  readonly value?: unknown;
  readonly exception?: string;
}
async function run(name: string, apiKey?: string): Promise<Got> {
  const program = MODEL_PROGRAMS.find((each) => each.name === name);
  if (program === undefined) throw new Error(`no program ${name}`);
  return (await program.run({ url: upstream.url, apiKey: apiKey ?? KEYS[program.provider] })) as Got;
}

function chat(body: object, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const options = { method: 'POST', headers: { authorization: `Bearer ${KEYS.openai}`, ...headers } };
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${upstream.url}/v1/chat/completions`, options, resolve).on('error', reject);
    request.end(JSON.stringify({ messages: [{ role: 'user', content: 'say: Hello' }], ...body }));
  });
}

describe('the model upstream, as the SDKs see it', () => {
  it.each([
    ['openai: chat', '"content":"Hello, Ada"'],
    ['openai: chat stream', '"delta":{"content":"Grüß"}'],
    ['openai: chat, tools run by the SDK', 'It rains in Köln'],
    ['openai: responses stream, put together by the SDK', '"output_text"'],
    ['openai: embeddings', '"embedding":[0.06'],
    ['openai: stream, encoding=gzip;chunk=7', '"finish_reason":"stop"'],
    ['anthropic: message with everything', '"thinking":"Let me see."'],
    ['anthropic: stream, put together by the SDK', '"cited_text":"A passage'],
    ['ai: chat completions, tools', 'It rains in Rome'],
    ['ai: responses, stream', '"reasoning-delta","Let "'],
    ['ai: anthropic, tools', 'It rains in Rome'],
    ['curl: message stream', 'event: message_stop'],
    ['python: urllib', 'data: [DONE]'],
  ])('%s gives %s', async (name, expected) => {
    const got = await run(name);
    expect(typeof got === 'string' ? got : JSON.stringify(got.value)).toContain(expected);
  });

  it.each([
    ['openai: status=429', 'RateLimitError'],
    ['openai: stream, status=500', 'InternalServerError'],
    ['openai: fault=reset', 'APIConnectionError'],
    ['anthropic: status=400', 'BadRequestError'],
    ['anthropic: stream, status=429', 'RateLimitError'],
  ])('%s is the exception %s', async (name, exception) => {
    expect(await run(name)).toMatchObject({ exception });
  });

  it.each(['openai: chat', 'openai: models', 'anthropic: message'])(
    'refuses a key that is not its own: %s',
    async (name) => {
      expect(await run(name, 'not-the-key')).toMatchObject({ exception: 'AuthenticationError', status: 401 });
    },
  );
});

describe('the steering of an answer', () => {
  it('is refused where a word is not known, so that no test proves nothing', () => {
    expect(() => steeringOf('trial;falt=cut')).toThrow('falt is not known');
    expect(() => steeringOf('trial;fault=cuts')).toThrow('fault is one of');
    expect(() => steeringOf('trial;delay=soon')).toThrow('delay wants a number');
  });

  it('sends 3 characters an event where it says fragment=3', async () => {
    const answer = await chat({ model: 'trial;fragment=3', stream: true });
    const text = (await buffer(answer)).toString();
    expect(text.match(/"content":"[^"]+"/g)).toEqual(['"content":"Hel"', '"content":"lo"']);
  });

  it('encodes only where the request accepts it, and lies only where it shall', async () => {
    const plain = await chat({ model: 'trial;encoding=gzip' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect((await buffer(plain)).toString()).toContain('Hello');
    const encoded = await chat({ model: 'trial;encoding=gzip' }, { 'accept-encoding': 'gzip' });
    expect(encoded.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(await buffer(encoded)).toString()).toContain('Hello');
    const lying = await chat({ model: 'trial;fault=lying-encoding' });
    expect(lying.headers['content-encoding']).toBe('gzip');
    expect((await buffer(lying)).toString()).toContain('Hello');
  });

  it('holds an answer at its gate until it is released, and tells that one who asked has gone', async () => {
    const answer = await chat({ model: 'trial;gate=2;fragment=5', stream: true });
    const parts = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let seen = '';
    while (!seen.includes('Hello')) seen += (await parts.next()).value?.toString();
    expect(seen).not.toContain('[DONE]');
    upstream.release();
    while (!seen.includes('[DONE]')) seen += (await parts.next()).value?.toString();
    await expect(upstream.requests.at(-1)?.ended).resolves.toBe('sent');

    const left = await chat({ model: 'trial;fault=endless', stream: true });
    left.destroy();
    await expect(upstream.requests.at(-1)?.ended).resolves.toBe('gone');
  });

  it('redirects to a host of its own, and cuts in the middle of an event', async () => {
    expect(await chat({ model: 'trial;fault=redirect' })).toMatchObject({ statusCode: 302 });
    const cut = await chat({ model: 'trial;fault=cut;fragment=1', stream: true });
    const parts: Buffer[] = [];
    await expect(
      (async () => {
        for await (const part of cut as AsyncIterable<Buffer>) parts.push(part);
      })(),
    ).rejects.toThrow();
    expect(Buffer.concat(parts).toString()).toMatch(/data: \{[^\n]*[^}\n]$/);
  });
});

describe('what the upstream says', () => {
  it('is what the newest message asks for', () => {
    const script = scriptOf(
      { from: 'user', text: 'think: hm\nsay: one\ntwo\ncall: f {"a":1}\ncall: g' },
      steeringOf('trial'),
      () => '',
    );
    expect(script).toMatchObject({ reasoning: 'hm', text: 'one\ntwo', refusal: '' });
    expect(script.calls).toEqual([
      { name: 'f', arguments: '{"a":1}' },
      { name: 'g', arguments: '{}' },
    ]);
  });

  it('is the request as it arrived, where that is only: echo', async () => {
    const answer = await chat(
      { model: 'trial', messages: [{ role: 'user', content: 'echo' }] },
      { 'x-planted': 'value-of-a-header' },
    );
    const echoed = (await buffer(answer)).toString();
    expect(echoed).toContain('value-of-a-header');
    expect(echoed).toContain(KEYS.openai);
  });
});

describe('its plain HTTP', () => {
  it('counts a body of 3,000,000 bytes and sends one of 5,000,000', async () => {
    const sent = await fetch(`${upstream.url}/plain/count`, { method: 'POST', body: 'x'.repeat(3_000_000) });
    expect(await sent.json()).toMatchObject({ bytes: 3_000_000 });
    const got = await fetch(`${upstream.url}/plain/bytes/5000000`);
    expect((await got.arrayBuffer()).byteLength).toBe(5_000_000);
  });

  it('gives a body back with its type, a status that is asked for, and a WebSocket its messages', async () => {
    const same = await fetch(`${upstream.url}/plain/body?steer=chunk=2`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.test+json' },
      body: '{"a":"ü"}',
    });
    expect(same.headers.get('content-type')).toBe('application/vnd.test+json');
    expect(await same.text()).toBe('{"a":"ü"}');
    expect((await fetch(`${upstream.url}/plain/status/418`)).status).toBe(418);
    const socket = new WebSocket(`${upstream.url.replace('http', 'ws')}/plain/socket`);
    const message = new Promise<string>((resolve) => socket.on('message', (data: Buffer) => resolve(data.toString())));
    socket.on('open', () => socket.send('hello'));
    expect(await message).toBe('hello');
    socket.terminate();
  });
});
