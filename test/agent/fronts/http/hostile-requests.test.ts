import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttpAgent, type HttpAgent } from '../../../support/http-agent.js';
import type { Seen } from '../../../support/http-upstream.js';

let seen: Seen[] = [];
let agent: HttpAgent;

beforeAll(async () => {
  agent = await startHttpAgent(
    (request, response) => {
      seen.push(request);
      response.setHeader('content-type', 'application/json');
      response.end('{"ok":true}');
    },
    {
      connections: {
        openai: { type: 'openai', prices: [{ model: 'cheap', inputPerMillion: 1, outputPerMillion: 1 }] },
        loose: { type: 'openai', uninspected: 'allow' },
        anthropic: 'anthropic',
        crm: 'http',
      },
      policies: `
apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { types: [openai, anthropic], groups: [ruled] }
  rules: [{ name: dump, when: 'llm.prompt.contains("credential dump")', action: block }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: bodies }
spec:
  match: { types: [http], groups: [ruled] }
  rules: [{ name: plan, when: 'http.body.contains("secret plan")', action: block }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: budget }
spec:
  match: { groups: [limited] }
  limits: [{ name: dear, per: user, models: ['dear*'], tokens: { perMonth: 1 } }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: spending }
spec:
  match: { groups: [spending] }
  limits: [{ name: money, per: user, spend: { perMonth: 5 } }]
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: pii }
spec:
  match: { groups: [masked] }
  mask: [{ name: pii, entities: [email], strategy: redact, on: [requests] }]
`,
    },
  );
});

beforeEach(() => {
  seen = [];
});

afterAll(() => agent.close());

const JSON_TYPE = 'application/json';

async function post(
  group: string,
  path: string,
  body: string | Buffer<ArrayBuffer> | FormData,
  type = JSON_TYPE,
): Promise<[status: number, sentOn: number]> {
  const token = await agent.token({ subject: group, groups: [group] });
  const headers = { authorization: `Bearer ${token}`, ...(body instanceof FormData ? {} : { 'content-type': type }) };
  const answer = await fetch(`${agent.agent.url}/c/${path}`, { method: 'POST', headers, body });
  await answer.text();
  return [answer.status, seen.length];
}

const BLOCKED = [403, 0];
const user = [{ role: 'user', content: 'a credential dump' }];
const wide = (text: string): Buffer<ArrayBuffer> => Buffer.from(text, 'utf16le');

describe('a rule on prompts', () => {
  it.each([
    ['openai/api/chat', { model: 'm', messages: user }],
    ['openai/api/generate', { model: 'm', prompt: 'a credential dump' }],
    [
      'openai/v1/threads/t/runs/r/submit_tool_outputs',
      { tool_outputs: [{ tool_call_id: 'c', output: 'a credential dump' }] },
    ],
    ['openai/v1/assistants/asst_1', { instructions: 'a credential dump' }],
    ['openai/v1/videos', { session: { instructions: 'a credential dump' } }],
    ['openai/v1/rerank', { query: 'q', documents: ['a credential dump'] }],
    ['openai/v1/chat/completions%20', { model: 'm', messages: user }],
    ['anthropic/v1/experimental/generate_prompt', { task: 'a credential dump' }],
    ['anthropic/model/claude/converse', { messages: [{ role: 'user', content: [{ text: 'a credential dump' }] }] }],
  ])('holds for %s, which is no endpoint of the dialect’s', async (path, body) => {
    expect(await post('ruled', path, JSON.stringify(body))).toEqual(BLOCKED);
    expect((await post('ruled', path, JSON.stringify(body).replaceAll('dump', 'lump')))[0]).toBe(200);
  });

  it('holds for text that is no JSON, and for what can’t be read at all', async () => {
    expect(await post('ruled', 'openai/v1/notes', 'a credential dump', 'text/plain')).toEqual(BLOCKED);
    const chat = JSON.stringify({ model: 'm', messages: [] });
    for (const body of [wide(chat), Buffer.from(`\uFEFF${chat}`)])
      for (const type of [JSON_TYPE, 'text/plain', 'application/octet-stream', `${JSON_TYPE}; charset=utf-16`])
        expect(await post('ruled', 'openai/v1/chat/completions', body, type)).toEqual(BLOCKED);
  });

  it('holds for the fields of a form in parts and its text files, on a connection that lets sound pass', async () => {
    const form = (prompt: string, note: string): FormData => {
      const made = new FormData();
      made.set('model', 'whisper-1');
      made.set('prompt', prompt);
      made.set('file', new Blob([new Uint8Array([0x49, 0x44, 0x33, 0])], { type: 'audio/mpeg' }), 'a.mp3');
      made.set('notes', new Blob([note]), 'notes.txt');
      return made;
    };
    const path = 'loose/v1/audio/transcriptions';
    expect(await post('ruled', path, form('a credential dump', ''))).toEqual(BLOCKED);
    expect(await post('ruled', path, form('', 'a credential dump'))).toEqual(BLOCKED);
    expect(await post('ruled', path, form('a', 'b'))).toEqual([200, 1]);
    expect(await post('ruled', 'openai/v1/audio/transcriptions', form('a', 'b'))).toEqual([403, 1]);
  });
});

describe('a rule on bodies', () => {
  it.each([
    [JSON_TYPE, String.raw`{"a":"secr\u0065t pl\u0061n"}`],
    ['text/plain', String.raw`{"a":"secret\u0020plan"}`],
    ['application/x-www-form-urlencoded', 'a=secret+plan'],
    ['application/x-www-form-urlencoded', 'a=%73ecret%20plan'],
    ['text/plain', wide('{"a":"secret plan"}')],
    // Many readers of JSON take the first value and leave the rest.
    ['text/plain', String.raw`{"a":"secret\u0020plan"} and more`],
    ['text/plain', '\uFEFF{"a":"secret\\u0020plan"}'],
    ['application/xml', wide('<a>secret plan</a>')],
  ])('of %s holds for any spelling: %s', async (type, body) => {
    expect(await post('ruled', 'crm/x', body, type)).toEqual(BLOCKED);
  });
});

describe('a limit', () => {
  it.each(['openai', 'loose'])(
    'counts the model of a form in parts, and refuses a body that hides it: %s',
    async (name) => {
      const form = new FormData();
      form.set('model', 'dear-1');
      form.set('prompt', 'a cat');
      expect(await post('limited', `${name}/v1/images/edits`, form)).toEqual([429, 0]);
      const chat = JSON.stringify({ model: 'dear-1', messages: user });
      for (const body of [wide(chat), Buffer.from(`\uFEFF${chat}`), Buffer.from(`${chat}x`)]) {
        expect(await post('limited', `${name}/v1/chat/completions`, body)).toEqual(BLOCKED);
        for (const type of [JSON_TYPE, 'text/plain', 'application/octet-stream'])
          expect(await post('limited', `${name}/api/chat`, body, type)).toEqual(BLOCKED);
      }
      expect(await post('limited', `${name}/api/chat`, chat)).toEqual([429, 0]);
    },
  );

  it('on spending refuses a model without a price wherever it is named', async () => {
    expect(await post('spending', 'openai/v1/fine_tuning/jobs', '{"model":"dear"}')).toEqual(BLOCKED);
    expect(await post('spending', 'openai/v1/fine_tuning/jobs', '{"model":"cheap"}')).toEqual([200, 1]);
  });
});

describe('a mask on requests', () => {
  it('meets the parts of a form, which stays one', async () => {
    const form = new FormData();
    form.set('note', 'to ann@example.com');
    form.set('file', new Blob(['{"a":"bo\\u0040example.com"}'], { type: 'application/json' }), 'a.json');
    expect(await post('masked', 'crm/x', form)).toEqual([200, 1]);
    const { body = '', headers } = seen[0] ?? {};
    const sent = await new Response(body, { headers: { 'content-type': headers?.['content-type'] ?? '' } }).formData();
    expect(sent.get('note')).toBe('to [email]');
    expect(await (sent.get('file') as File).text()).toBe('{"a":"[email]"}');
  });
});
