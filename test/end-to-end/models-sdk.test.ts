import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODEL_PROGRAMS } from '../support/model-programs/all-programs.js';
import { comparable } from '../support/model-programs/program.js';
import { startModelAgent, UPSTREAM_KEYS, type ModelAgent } from '../support/model-upstream-agent.js';

const KEYS = { openai: UPSTREAM_KEYS.openaiKey, anthropic: UPSTREAM_KEYS.anthropicKey };
let agent: ModelAgent;

beforeAll(async () => {
  agent = await startModelAgent();
}, 60_000);
afterAll(() => agent.close());

describe('programs on the real SDKs, with no rule and no mask', () => {
  it.each(MODEL_PROGRAMS.map((program) => [program.name, program] as const))(
    'get the same at the agent as direct: %s',
    async (_name, program) => {
      const direct = await comparable(program, { url: agent.upstream.url, apiKey: KEYS[program.provider] });
      expect(await comparable(program, await agent.direct(program.provider))).toEqual(direct);
    },
  );
});

describe('what reaches the upstream and what comes back', () => {
  it('is the stored key, never the caller’s token, on every header that an SDK uses for one', async () => {
    const { url, apiKey } = await agent.direct('openai');
    for (const header of ['authorization', 'x-api-key', 'api-key']) {
      const value = header === 'authorization' ? `Bearer ${apiKey}` : apiKey;
      const answer = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { [header]: value, 'content-type': 'application/json', 'x-forwarded-for': '9.9.9.9', x_real_ip: '9' },
        body: JSON.stringify({ model: 'trial', messages: [{ role: 'user', content: 'echo' }] }),
      });
      expect(answer.status).toBe(200);
      const arrived = agent.upstream.requests.at(-1);
      expect(arrived?.headers['authorization']).toBe(`Bearer ${KEYS.openai}`);
      expect(JSON.stringify(arrived?.rawHeaders)).not.toContain(apiKey);
      expect(JSON.stringify(arrived?.rawHeaders)).not.toMatch(/9\.9\.9\.9|x_real_ip/);
      // The upstream echoed what it got; the key is taken out of that.
      const text = await answer.text();
      expect(text).not.toContain(KEYS.openai);
      expect(text).toContain('/v1/chat/completions');
    }
  });

  it('holds the key in no recording and no log', async () => {
    const everything = (await agent.recorded()) + agent.logged.join('\n');
    expect(everything).toContain('session.start');
    for (const key of Object.values(KEYS)) expect(everything).not.toContain(key);
  });

  it.each(['gzip', 'br', 'deflate'])('takes the key out of an echo that is encoded in %s', async (encoding) => {
    const { url, apiKey } = await agent.direct('openai');
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'accept-encoding': encoding },
      body: JSON.stringify({
        model: `trial;encoding=${encoding};fragment=9000;chunk=3`,
        stream: true,
        messages: [{ role: 'user', content: 'echo' }],
      }),
    });
    const said = [...(await answer.text()).matchAll(/"delta":\{"content":("(?:[^"\\]|\\.)*")\}/g)];
    const text = said.map((found) => JSON.parse(found[1] ?? '""') as string).join('');
    expect(text).toContain('/v1/chat/completions');
    expect(text).not.toContain(KEYS.openai);
  });

  it('follows no redirect, and names no host of the upstream’s choice', async () => {
    const { url, apiKey } = await agent.direct('openai');
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'trial;fault=redirect', messages: [{ role: 'user', content: 'hi' }] }),
    });
    expect([302, 502]).toContain(answer.status);
    expect(agent.upstream.requests.at(-1)?.url).toBe('/v1/chat/completions');
  });
});
