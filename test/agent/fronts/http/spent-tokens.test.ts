import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';
import type { Seen } from '../../../support/http-upstream.js';

/** A word of four characters is a token, for the estimates. */
const WORDS = 400;

function event(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** Streams that say a lot, and how much only at their end, or not at all. */
function answer({ url, body }: Seen, response: ServerResponse): void {
  response.setHeader('content-type', 'text/event-stream');
  if (url === '/v1/messages') {
    response.write(event({ type: 'message_start', message: { usage: { input_tokens: 10, output_tokens: 1 } } }));
    response.write(event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }));
    const delta = { type: 'text_delta', text: 'word'.repeat(WORDS) };
    response.write(event({ type: 'content_block_delta', index: 0, delta }));
    // A client that wants no more has what it came for.
    if (!body.includes('"finish"')) return;
    response.write(event({ type: 'content_block_stop', index: 0 }));
    response.write(event({ type: 'message_delta', delta: {}, usage: { output_tokens: 20 } }));
    response.end(event({ type: 'message_stop' }));
    return;
  }
  const choice = { index: 0, delta: { content: 'word'.repeat(WORDS) }, finish_reason: null };
  response.write(event({ choices: [choice] }));
  if (body.includes('"hang"')) return;
  response.write(event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }));
  response.end('data: [DONE]\n\n');
}

let agent: HttpAgent;

beforeAll(async () => {
  agent = await startHttpAgent(answer, {
    connections: { openai: 'openai', anthropic: 'anthropic' },
    policies: `apiVersion: hoop/v1
kind: Policy
metadata: { name: budget }
spec:
  limits:
    - { name: tokens, per: user, tokens: { perMonth: 600 }, message: Come back next month. }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  match: { groups: [masked] }
  mask: [{ name: pii, entities: [email], strategy: redact }]
`,
  });
});

afterAll(() => agent.close());

interface Call {
  readonly subject: string;
  readonly groups?: readonly string[];
  readonly body: object;
}

const messages = [{ role: 'user', content: 'Hi.' }];

/** The status; hangs up as soon as all the text is there. */
async function call(path: string, { subject, groups = [], body }: Call): Promise<number> {
  const token = await agent.token({ subject, groups });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const asked = request(`${agent.agent.url}/c/${path}`, { method: 'POST', headers });
  asked.on('error', () => undefined);
  asked.end(JSON.stringify({ model: 'm', stream: true, messages, ...body }));
  const answered = await new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
  let text = '';
  await new Promise<void>((resolve) => {
    answered.on('data', (part: Buffer) => {
      text += part.toString();
      if (text.includes('word'.repeat(WORDS)) && JSON.stringify(body).includes('hang')) {
        asked.destroy();
        resolve();
      }
    });
    answered.once('error', () => resolve());
    answered.once('end', () => resolve());
  });
  return answered.statusCode ?? 0;
}

describe('tokens of an answer that does not say how many it was', () => {
  it.each([
    ['openai/v1/chat/completions', 'plain', []],
    ['openai/v1/chat/completions', 'masked', ['masked']],
  ])('are counted by its text: %s, %s', async (path, kind, groups) => {
    const one = { subject: `${kind}-silent`, groups, body: {} };
    // 1 + 400 of 600 tokens, then 2 + 400 more: over, as only what a request says of itself is known before.
    expect([await call(path, one), await call(path, one), await call(path, one)]).toEqual([200, 200, 429]);
  });

  it.each([
    ['openai/v1/chat/completions', {}],
    ['anthropic/v1/messages', { max_tokens: 150 }],
  ])('are counted where the client hangs up before the end: %s', async (path, more) => {
    const one = { subject: `hang-${path}`, body: { user: 'hang', ...more } };
    const statuses: number[] = [];
    await expect
      .poll(
        async () => {
          statuses.push(await call(path, one));
          return statuses.at(-1);
        },
        { timeout: 10_000, interval: 30 },
      )
      .toBe(429);
    // The first two fit, a third may begin before the end of the second was noticed.
    expect(statuses.length).toBeLessThanOrEqual(4);
  });

  it('are what the answer says where it says it at its end', async () => {
    const one = { subject: 'whole', body: { max_tokens: 100, user: 'finish' } };
    for (let n = 0; n < 5; n += 1) expect(await call('anthropic/v1/messages', one)).toBe(200);
  });
});

describe('tokens that a request may take at most', () => {
  it.each([
    ['for each of several answers', { max_tokens: 100, n: 7 }],
    ['for each of several prompts', { max_tokens: 100, prompt: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }],
    ['for the best of several', { max_tokens: 100, best_of: 7, prompt: 'a' }],
  ])('count %s', async (_, body) => {
    expect(await call('openai/v1/completions', { subject: 'many', body })).toBe(429);
  });
});
