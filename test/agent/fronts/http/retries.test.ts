import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedEvents } from '../../../support/recorded-events.js';
import { until } from '../../../support/until.js';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';

let agent: HttpAgent;

beforeAll(async () => {
  agent = await startHttpAgent(
    ({ body }, response) => {
      if (body.includes('nothing')) response.destroy();
      else if (body.includes('picture')) response.setHeader('content-type', 'image/png');
      else response.writeHead(500, { 'content-type': 'application/json', 'retry-after-ms': '1' });
      if (!response.destroyed) response.end('{"error":{"message":"busy"}}');
    },
    {
      connections: { openai: 'openai', anthropic: 'anthropic' },
      policies: `apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  mask: [{ name: pii, entities: [email], strategy: redact }]
  limits: [{ name: month, per: user, groups: [limited], requests: { perMonth: 1 } }]
`,
    },
  );
});

afterAll(() => agent.close());

/** How often an SDK with its usual retries asks the upstream, and the status that it gives up with. */
async function asked(provider: 'openai' | 'anthropic', content: string, groups: readonly string[] = []) {
  const apiKey = await agent.token({ subject: `${provider} ${content}`, groups });
  const before = agent.upstream.seen.length;
  const messages = [{ role: 'user' as const, content }];
  const call =
    provider === 'openai'
      ? new OpenAI({ apiKey, baseURL: `${agent.agent.url}/c/openai/v1` }).chat.completions.create({
          model: 'm',
          messages,
        })
      : new Anthropic({ apiKey, baseURL: `${agent.agent.url}/c/anthropic` }).messages.create({
          ...{ model: 'm', max_tokens: 9 },
          messages,
        });
  const status = await call.then(
    () => 200,
    (error: unknown) => (error as { status?: number }).status,
  );
  return { status, times: agent.upstream.seen.length - before };
}

describe.each(['openai', 'anthropic'] as const)('the SDK of %s', (provider) => {
  it('asks once for an answer that is not given on, since each costs: it would be the same again', async () => {
    expect(await asked(provider, 'a picture')).toEqual({ status: 502, times: 1 });
  });

  it('asks again where the upstream itself fails, as it does direct', async () => {
    expect(await asked(provider, 'anything')).toEqual({ status: 500, times: 3 });
  });

  it('does not ask again under a limit that is used up for longer than it waits', async () => {
    // One request fits in; the upstream fails it, and the next try is over the limit.
    const { status, times } = await asked(provider, 'limited', ['limited']);
    expect({ status, times }).toEqual({ status: 429, times: 1 });
  });
});

it('says of an upstream that cuts the connection the same in the record as to the client', async () => {
  const body = '{"model":"m","messages":[{"role":"user","content":"nothing"}]}';
  const headers = { 'content-type': 'application/json' };
  const answer = await agent.ask('openai', '/v1/chat/completions', { method: 'POST', body, headers });
  const { error } = (await answer.json()) as { readonly error: { readonly code: string; readonly message: string } };
  expect([answer.status, error.code]).toEqual([502, 'hoop_upstream_unreachable']);
  const result = await until('the result is recorded', () =>
    recordedEvents(agent.recordings).find((event) => JSON.stringify(event['error'] ?? '').includes(' cut ')),
  );
  expect(result['error']).toEqual({ code: error.code, message: error.message });
});
