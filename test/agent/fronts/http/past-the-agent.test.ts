import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';

let agent: HttpAgent;

beforeAll(async () => {
  agent = await startHttpAgent(
    (_seen, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"client_secret":{"value":"ek_68af296e8e408191a1120ab6383263c2"}}');
    },
    {
      connections: {
        openai: 'openai',
        anthropic: 'anthropic',
        crm: 'http',
        account: { type: 'openai', issuedKeys: 'allow' },
      },
      policies: `apiVersion: hoop/v1
kind: Policy
metadata: { name: budget }
spec:
  match: { groups: [limited] }
  limits: [{ name: day, per: user, tokens: { perDay: 1000000 }, models: ['gpt-*'] }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: watching }
spec:
  mode: observe
  match: { groups: [watched] }
  limits: [{ name: day, per: user, tokens: { perDay: 1000000 } }]
`,
    },
  );
});

afterAll(() => agent.close());

interface Call {
  readonly connection?: string;
  readonly groups?: readonly string[];
  readonly method?: string;
  readonly body?: object;
}

async function call(path: string, { connection = 'openai', groups = [], method = 'POST', body = {} }: Call = {}) {
  const answer = await fetch(`${agent.agent.url}/c/${connection}${path}`, {
    method,
    headers: { authorization: `Bearer ${await agent.token({ groups })}`, 'content-type': 'application/json' },
    ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('a key of the provider, by which its API is reached past the agent', () => {
  it.each([
    '/v1/realtime/sessions',
    '/v1/realtime/client_secrets',
    '/v1/realtime/transcription_sessions/',
    '/v1/realtime/translations/client_secrets',
    '/v1/Realtime/Client%5Fsecrets',
    '/v1/realtime/calls',
    '/v1/realtime?model=gpt-realtime',
    '/openai/realtimeapi/sessions',
    '/v1/chatkit/sessions',
    '/v1alpha/auth_tokens',
    '/v1/organization/admin_api_keys',
    '/v1/organization/projects/p/service_accounts',
    '/v1/organizations/api_keys/k',
    '/api/v1/keys',
    '/key/generate',
  ])('is given out to no caller by POST %s', async (path) => {
    for (const connection of ['openai', 'anthropic']) {
      const before = agent.upstream.seen.length;
      const { status, text } = await call(path, { connection });
      expect([status, text]).toEqual([403, expect.stringContaining('hoop_blocked')]);
      expect(text).not.toContain('ek_');
      expect(agent.upstream.seen.length).toBe(before);
    }
  });

  it('is given out where the connection says so, and nothing is known of it on type http', async () => {
    expect((await call('/v1/realtime/client_secrets', { connection: 'account' })).text).toContain('ek_');
    expect((await call('/v1/realtime/client_secrets', { connection: 'crm' })).status).toBe(200);
    expect((await call('/v1/organization/users', { method: 'GET' })).status).toBe(403);
  });

  it.each(['/v1/chat/completions', '/v1/organized/x', '/v1/monkeys', '/v1/files'])(
    'is not what %s gives, which passes',
    async (path) => {
      expect((await call(path, { body: { model: 'gpt-4o' } })).status).toBe(200);
    },
  );
});

describe('a request of which a limit on tokens can not know how much it takes', () => {
  const limited = { groups: ['limited'] };

  it.each<[string, string, object, string]>([
    ['leaves its model to a stored prompt', '/v1/responses', { prompt: { id: 'pmpt_1' } }, 'the model'],
    ['leaves its model to an assistant', '/v1/threads/t/runs', { assistant_id: 'a' }, 'the model'],
    ['goes on with a run', '/v1/threads/t/runs/r/submit_tool_outputs', { tool_outputs: [] }, 'the model'],
    ['is a batch', '/v1/batches', { input_file_id: 'f', endpoint: '/v1/responses' }, 'a batch'],
    ['runs in the background', '/v1/responses', { model: 'gpt-5', input: 'Hi.', background: true }, 'background'],
  ])('is refused: it %s', async (_what, path, body, why) => {
    const { status, text } = await call(path, { ...limited, body });
    expect([status, text]).toEqual([403, expect.stringContaining(why)]);
    expect((await call(path, { body })).status).toBe(200);
    expect((await call(path, { groups: ['watched'], body })).status).toBe(200);
  });

  it.each<[string, object]>([
    ['/v1/responses', { model: 'gpt-5', input: 'Hi.', background: true, max_output_tokens: 100 }],
    ['/v1/threads/t/runs', { assistant_id: 'a', model: 'gpt-4o' }],
    ['/v1/threads/t/messages', { role: 'user', content: 'Hi.' }],
    ['/v1/openai/deployments/gpt-4o/chat/completions', { messages: [{ role: 'user', content: 'Hi.' }] }],
    ['/v1/moderations', { input: 'Hi.' }],
  ])('is not one to %s that says it', async (path, body) => {
    expect((await call(path, { ...limited, body })).status).toBe(200);
  });
});
