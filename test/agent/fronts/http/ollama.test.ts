import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ollamaStream, ollamaTexts } from '../../../protocols/ollama/ollama-stream.js';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';
import type { Seen } from '../../../support/http-upstream.js';
import { sealedEvents } from './upgrade-world.js';

let agent: HttpAgent;
let token: string;

/** What Ollama answers: lines, each written by itself. */
function answer(_seen: Seen, response: ServerResponse): void {
  response.setHeader('content-type', 'application/x-ndjson');
  const lines = ollamaStream('chat', ['Write to ann.', 'lee@exam', 'ple.com. ']).split(/(?<=\n)/);
  const next = (): void => {
    const line = lines.shift();
    if (line === undefined) response.end();
    else response.write(line, () => setImmediate(next));
  };
  next();
}

beforeAll(async () => {
  agent = await startHttpAgent(answer, {
    connections: { llama: 'openai' },
    policies: `
apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { connections: [llama] }
  rules:
    - { name: no-dumps, when: 'llm.prompt.contains("credential dump")', action: block }
    - { name: tools, when: 'llm.tools.exists(t, t.name == "shell")', action: block }
  mask: [{ name: pii, entities: [email], strategy: redact }]
  limits: [{ name: few, per: user, tokens: { perDay: 60 } }]
`,
  });
  token = await agent.token();
}, 60_000);

afterAll(() => agent.close());

const chat = (content: string, more: object = {}): Promise<Response> =>
  fetch(`${agent.agent.url}/c/llama/api/chat`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'llama3.2',
      messages: [{ role: 'user', content }],
      options: { num_predict: 12 },
      ...more,
    }),
  });

describe("Ollama's own API through the agent", () => {
  it('is refused in its words where a prompt or a tool is', async () => {
    for (const refused of [
      await chat('a credential dump'),
      await chat('hi', { tools: [{ function: { name: 'shell' } }] }),
    ]) {
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({
        error: expect.stringContaining('blocked by policy prompts/') as string,
      });
    }
    expect(agent.upstream.seen).toEqual([]);
  });

  it('is masked over its lines, recorded with model, text and tokens, and counted by limits', async () => {
    const response = await chat('whom do I write to');
    expect(ollamaTexts(await response.text()).text).toBe('Write to [email]. ');
    const events = await sealedEvents(agent, response.headers.get('x-hoop-session') ?? '');
    expect(events.find(({ type }) => type === 'result')).toMatchObject({
      usage: { inputTokens: 26, outputTokens: 12 },
      masked: { email: 2 },
    });
    expect(JSON.stringify(events)).not.toContain('ann.lee');
    const second = await chat('once more');
    await second.text();
    // 38 tokens each: the third would be more than 60 a day.
    const third = await chat('and again');
    expect(third.status).toBe(429);
  });
});
