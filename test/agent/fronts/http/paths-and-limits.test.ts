import { readdir, readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';
import type { Seen } from '../../../support/http-upstream.js';

const BODIES: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/person': ['application/json', '{"name":"Ann",  "ssn":"planted-1", "n": 1.0, "pin": 4711}'],
  '/lines': ['application/x-ndjson', '{"ssn":"planted-1"}\n{"n":1}\n{"ssn":"planted-2"}\n'],
  '/events': ['text/event-stream', 'data: {"ssn":"planted-1"}\n\ndata: [DONE]\n\n'],
  '/lie': ['text/plain', '{"ssn":"planted-1"}'],
  '/html': ['text/html', '<p>"ssn"</p>'],
  '/broken': ['application/json', '{"ssn":"planted-1"'],
};

let seen: Seen[] = [];
let agent: HttpAgent;

function answer(request: Seen, response: ServerResponse): void {
  seen.push(request);
  if (request.url === '/v1/chat/completions') {
    const { model } = JSON.parse(request.body.toString()) as { model: string };
    response.setHeader('content-type', 'application/json');
    const usage = { prompt_tokens: 400, completion_tokens: 100, total_tokens: 500 };
    const message = { role: 'assistant', content: 'Hello.' };
    response.end(JSON.stringify({ id: 'c', model, choices: [{ index: 0, message, finish_reason: 'stop' }], usage }));
    return;
  }
  const [type, body] = BODIES[request.url] ?? ['text/plain', 'nothing here'];
  response.setHeader('content-type', type);
  response.end(body);
}

beforeAll(async () => {
  agent = await startHttpAgent(answer, {
    connections: {
      crm: 'http',
      models: { type: 'openai', prices: [{ model: 'gpt-4o*', inputPerMillion: 1000, outputPerMillion: 1000 }] },
    },
    policies: `
apiVersion: hoop/v1
kind: Policy
metadata: { name: fields }
spec:
  match: { connections: [crm] }
  mask: [{ name: ssn, paths: ['$..ssn', '$.pin'], strategy: redact, on: [requests, answers] }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: budget }
spec:
  match: { types: [openai] }
  limits:
    - { name: tokens, per: user, groups: [tokens], tokens: { perMonth: 1200 }, message: Come back next month. }
    - { name: money, per: [user, model], groups: [money], spend: { perMonth: 1.2 } }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: watched }
spec: { mode: observe, limits: [{ name: one, per: user, groups: [watched], requests: { perMonth: 1 } }] }
`,
  });
});

afterAll(() => agent.close());

async function get(path: string, init: RequestInit = {}): Promise<Response> {
  seen = [];
  const authorization = `Bearer ${await agent.token()}`;
  return fetch(`${agent.agent.url}/c/crm${path}`, { ...init, headers: { authorization, ...init.headers } });
}

async function chat(group: string, model = 'gpt-4o', changes: object = {}): Promise<Response> {
  const token = await agent.token({ subject: `of-${group}`, groups: [group] });
  return fetch(`${agent.agent.url}/c/models/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello?' }], ...changes }),
  });
}

describe('masks by JSON path', () => {
  it.each([
    ['/person', '{"name":"Ann",  "ssn":"[masked]", "n": 1.0, "pin": null}'],
    ['/lines', '{"ssn":"[masked]"}\n{"n":1}\n{"ssn":"[masked]"}\n'],
    ['/events', 'data: {"ssn":"[masked]"}\n\ndata: [DONE]\n\n'],
    ['/lie', '{"ssn":"[masked]"}'],
    ['/html', '<p>"ssn"</p>'],
  ])('meet the answer of %s', async (path, expected) => {
    expect(await (await get(path)).text()).toBe(expected);
  });

  it('give nothing of an answer that should be JSON and is not', async () => {
    const broken = await get('/broken');
    expect(broken.status).toBe(502);
    expect(await broken.text()).not.toContain('planted');
  });

  it('meet requests before the upstream sees them', async () => {
    const headers = { 'content-type': 'application/json' };
    await get('/html', { method: 'POST', headers, body: '{ "ssn": "planted-3", "a": [1.0] }' });
    expect(seen.map(({ body }) => body.toString())).toEqual(['{ "ssn": "[masked]", "a": [1.0] }']);
  });
});

describe('recordings', () => {
  it('hold nothing that a path masks, neither of answers nor of requests', async () => {
    const headers = { 'content-type': 'application/json' };
    const answered = await get('/person', { method: 'POST', headers, body: '{ "ssn": "planted-3" }' });
    await answered.text();
    const session = answered.headers.get('x-hoop-session') ?? '';
    const text = await vi.waitFor(async () => {
      const [day = ''] = (await readdir(agent.recordings)).filter((name) => /^\d{4}-/.test(name));
      const recorded = await readFile(join(agent.recordings, day, `${session}.ndjson`), 'utf8');
      expect(recorded).toContain('"type":"seal"');
      return recorded;
    });
    expect(text).not.toContain('planted');
    expect(text.match(/\[masked\]/g)?.length).toBeGreaterThanOrEqual(2);
  });
});

describe('limits of models', () => {
  it('let 500 tokens each in twice of 1,200, then say 429, why and when', async () => {
    const answers = [await chat('tokens'), await chat('tokens'), await chat('tokens', 'gpt-4o', { max_tokens: 300 })];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    const [, , last] = answers;
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last?.json()).toMatchObject({
      error: {
        code: 'hoop_limit',
        message: expect.stringContaining(
          'budget/tokens: Come back next month. (the limit of 1200 tokens a month is reached)',
        ) as unknown,
      },
    });
  });

  it('reckon with what a model cost, and refuse one without a price', async () => {
    const statuses = [await chat('money'), await chat('money'), await chat('money', 'gpt-4o', { max_tokens: 300 })];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect((await chat('money', 'gpt-4o-mini')).status).toBe(200);
    expect(await (await chat('money', 'o1')).text()).toContain('no price is configured for this model');
  });

  it('of observing policies refuse nothing', async () => {
    const statuses = [await chat('watched'), await chat('watched')];
    expect(statuses.map(({ status }) => status)).toEqual([200, 200]);
  });
});
