import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';

let agent: HttpAgent;

beforeAll(async () => {
  const policy = (group: string, mode: string): string => `
apiVersion: hoop/v1
kind: Policy
metadata: { name: ${group} }
spec:
  mode: ${mode}
  match: { groups: [${group}] }
  rules: [{ name: plans, when: 'http.body.contains("secret plan")', action: block }]
  limits: [{ name: day, per: user, tokens: { perDay: 1000000 } }]
---`;
  agent = await startHttpAgent((_seen, response) => response.end('{}'), {
    connections: { openai: 'openai' },
    agentSpec: 'limits: { bodyBytes: 100KiB }',
    policies: `${policy('watched', 'observe')}${policy('judged', 'enforce')}`,
  });
});

afterAll(() => agent.close());

async function post(group: string, body: string, headers: Readonly<Record<string, string>> = {}) {
  const before = agent.upstream.seen.length;
  const { status } = await fetch(`${agent.agent.url}/c/openai/v1/responses`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await agent.token({ groups: [group] })}`,
      'content-type': 'application/json',
      ...headers,
    },
    body,
  });
  const seen = agent.upstream.seen[before];
  return { status, asSent: seen?.body === body && seen.headers['content-encoding'] === headers['content-encoding'] };
}

const CHAT = { model: 'm', input: 'secret plan' };

describe('a request that can not be read', () => {
  it.each<[string, string, Readonly<Record<string, string>>, number]>([
    ['a name twice', '{"model":"m","model":"n","input":"a"}', {}, 400],
    ['more bytes than limits.bodyBytes', JSON.stringify({ ...CHAT, input: 'x'.repeat(200_000) }), {}, 413],
    ['a coding that nobody here undoes', 'zstd, as far as it says', { 'content-encoding': 'zstd' }, 400],
    ['a coding that it does not have', 'gzip, as far as it says', { 'content-encoding': 'gzip' }, 400],
    ['no JSON', '{"model":', {}, 403],
  ])(
    'for %s is refused by rules that enforce, and goes on as it came elsewhere',
    async (_what, body, headers, status) => {
      expect(await post('judged', body, headers)).toEqual({ status, asSent: false });
      for (const group of ['watched', 'nobody'])
        expect(await post(group, body, headers)).toEqual({ status: 200, asSent: true });
    },
  );

  it('is none where it can: observing rules see it, and let it pass', async () => {
    expect(await post('judged', JSON.stringify(CHAT))).toEqual({ status: 403, asSent: false });
    expect(await post('watched', JSON.stringify(CHAT))).toEqual({ status: 200, asSent: true });
  });
});
