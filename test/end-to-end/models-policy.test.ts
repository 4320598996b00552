import { setTimeout as wait } from 'node:timers/promises';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Place } from '../support/model-programs/program.js';
import { startModelAgent, type ModelAgent } from '../support/model-upstream-agent.js';

const POLICIES = `apiVersion: hoop/v1
kind: Policy
metadata: { name: prompts }
spec:
  match: { types: [openai, anthropic] }
  rules:
    - name: credential-dump
      when: llm.prompt.contains("credential dump")
      action: block
      message: Dumps of credentials stay inside.
    - name: big-spender
      when: llm.model.startsWith("trial-held")
      action: approve
      approval: prompt-review
  mask:
    - { name: pii, entities: [email, credit-card, private-key], strategy: redact }
---
apiVersion: hoop/v1
kind: Policy
metadata: { name: budgets }
spec:
  match: { types: [openai, anthropic] }
  limits:
    - { name: two-a-day, per: [user], models: ['trial-limited*'], requests: { perDay: 2 } }
---
apiVersion: hoop/v1
kind: ApprovalFlow
metadata: { name: prompt-review }
spec: { reviewers: [{ groups: [dba], count: 1 }], wait: 60s }
`;
const EMAIL = 'ada.quill@example.com';
const CARD = '4111 1111 1111 1111';
const PERSONAL = `mail ${EMAIL} or card ${CARD}, thanks`;

let agent: ModelAgent;
let openai: OpenAI;
let anthropic: Anthropic;

const openaiAt = ({ url, apiKey }: Place): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, logLevel: 'off' });
const anthropicAt = ({ url, apiKey }: Place): Anthropic =>
  new Anthropic({ baseURL: url, apiKey, authToken: null, maxRetries: 0, logLevel: 'off' });

beforeAll(async () => {
  agent = await startModelAgent({ policies: POLICIES });
  openai = openaiAt(await agent.direct('openai'));
  anthropic = anthropicAt(await agent.direct('anthropic'));
}, 60_000);
afterAll(() => agent.close());

const chat = (content: string, model = 'trial') => ({ model, messages: [{ role: 'user' as const, content }] });
const message = (content: string, model = 'trial') => ({ ...chat(content, model), max_tokens: 100 });

async function failureOf(call: PromiseLike<unknown>): Promise<Record<string, unknown>> {
  try {
    await call;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('it did not fail');
}

describe('a prompt that a rule blocks', () => {
  it('is the SDK’s PermissionDeniedError with code hoop_blocked, and never reaches the upstream', async () => {
    const before = agent.upstream.requests.length;
    const error = await failureOf(openai.chat.completions.create(chat('Make a credential dump')));
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, code: 'hoop_blocked' });
    expect(String(error['message'])).toContain('prompts/credential-dump');
    const other = await failureOf(anthropic.messages.create(message('Make a credential dump')));
    expect(other).toBeInstanceOf(Anthropic.PermissionDeniedError);
    expect(String(other['message'])).toContain('prompts/credential-dump');
    expect(agent.upstream.requests.length).toBe(before);
  });

  it('is found wherever it stands in the request: system, tool results, parts, responses, prompts', async () => {
    const before = agent.upstream.requests.length;
    const words = 'a credential dump, please';
    const user = { role: 'user' as const, content: 'hi' };
    const calls = [
      openai.chat.completions.create({ model: 'trial', messages: [{ role: 'system', content: words }, user] }),
      openai.chat.completions.create({
        model: 'trial',
        messages: [{ role: 'user', content: [{ type: 'text', text: words }] }, user],
      }),
      openai.chat.completions.create({
        model: 'trial',
        messages: [user, { role: 'tool', tool_call_id: 'call_1', content: words }],
      }),
      openai.chat.completions.create({ ...chat(words), stream: true }),
      openai.responses.create({ model: 'trial', input: words }),
      openai.responses.create({ model: 'trial', instructions: words, input: 'hi' }),
      openai.completions.create({ model: 'trial', prompt: [words] }),
      openai.embeddings.create({ model: 'trial', input: ['hi', words] }),
      anthropic.messages.create({ ...message('hi'), system: words }),
      anthropic.messages.create({
        ...message(''),
        messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: words }] }],
      }),
      anthropic.messages.countTokens({ model: 'trial', messages: [{ role: 'user', content: words }] }),
    ];
    // All at once: a failure that waits for its turn would be nobody's.
    for (const failure of await Promise.all(calls.map((call) => failureOf(call))))
      expect(failure).toMatchObject({ status: 403 });
    expect(agent.upstream.requests.length).toBe(before);
  });
});

describe('personal data in an answer', () => {
  const clean = (got: unknown): void => {
    const text = JSON.stringify(got);
    expect(text).not.toContain(EMAIL);
    expect(text).not.toContain(CARD);
    expect(text).toContain('[email]');
    expect(text).toContain('thanks');
  };
  const call = `call: note {"text": "${PERSONAL}"}`;

  it('is masked in whole answers: text, tool arguments, refusals, every choice', async () => {
    clean(await openai.chat.completions.create({ ...chat(`say: ${PERSONAL}`), n: 2 }));
    clean(await openai.chat.completions.create(chat(`refuse: ${PERSONAL}`)));
    const called = await openai.chat.completions.create(chat(call));
    clean(called);
    const [first] = called.choices[0]?.message.tool_calls ?? [];
    expect(first?.type === 'function' ? JSON.parse(first.function.arguments) : '').toHaveProperty('text');
    clean(await openai.responses.create({ model: 'trial', input: `think: ${PERSONAL}\nsay: ${PERSONAL}\n${call}` }));
    clean(await openai.completions.create({ model: 'trial', prompt: `say: ${PERSONAL}` }));
    clean(await anthropic.messages.create(message(`think: ${PERSONAL}\nsay: ${PERSONAL}\ncite: ${PERSONAL}\n${call}`)));
  });

  it.each([1, 2, 7, 40])('is masked in streams of fragments of %i characters', async (size) => {
    const model = `trial;fragment=${String(size)}`;
    const completion = await openai.chat.completions
      .stream({ ...chat(`say: ${PERSONAL}\nrefuse: ${PERSONAL}\n${call}`, model), n: 2 })
      .finalChatCompletion();
    clean(completion);
    expect(completion.choices.map((choice) => choice.finish_reason)).toEqual(['tool_calls', 'tool_calls']);
    for (const { message: said } of completion.choices) {
      expect(said.content).toBe(`mail [email] or card [credit-card], thanks`);
      const [first] = said.tool_calls ?? [];
      expect(JSON.parse(first?.type === 'function' ? first.function.arguments : '')).toEqual({
        text: 'mail [email] or card [credit-card], thanks',
      });
    }
    const input = `think: ${PERSONAL}\nsay: ${PERSONAL}\n${call}`;
    clean(await openai.responses.stream({ model, input }).finalResponse());
    clean(await anthropic.messages.stream(message(input, model)).finalMessage());
  });

  it('is in no event, whatever is read of it: the raw bytes hold none', async () => {
    const { url, apiKey } = await agent.direct('openai');
    for (const path of ['chat/completions', 'responses']) {
      const content = `think: ${PERSONAL}\nsay: ${PERSONAL}\ncite: ${PERSONAL}\nrefuse: ${PERSONAL}\n${call}`;
      const body = { ...chat(content, 'trial;fragment=1000'), input: content, stream: true, logprobs: true };
      const answer = await fetch(`${url}/v1/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(path === 'responses' ? { ...body, messages: undefined } : { ...body, input: undefined }),
      });
      expect(answer.status).toBe(200);
      clean(await answer.text());
    }
  });

  it('is masked in errors of the upstream, which stay the SDK’s own exceptions', async () => {
    const error = await failureOf(openai.chat.completions.create(chat(`say: ${PERSONAL}`, 'trial;status=400')));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    clean({ message: error['message'] });
    const other = await failureOf(anthropic.messages.create(message(`say: ${PERSONAL}`, 'trial;status=429')));
    expect(other).toBeInstanceOf(Anthropic.RateLimitError);
    clean({ message: other['message'] });
  });

  it('is in no recording and no log', async () => {
    const everything = (await agent.recorded()) + agent.logged.join('\n');
    expect(everything).toContain('[email]');
    expect(everything).not.toContain(EMAIL);
    expect(everything).not.toContain(CARD);
  });
});

describe('an answer that streams', () => {
  it('comes while it is made: its first text is here before the upstream may send the rest', async () => {
    const model = 'trial;gate=2;fragment=12';
    const stream = await openai.chat.completions.create({
      ...chat('say: Hello there, and then more.', model),
      stream: true,
    });
    let text = '';
    for await (const chunk of stream) {
      const before = text;
      text += chunk.choices[0]?.delta.content ?? '';
      if (before === '' && text !== '') agent.upstream.release();
    }
    expect(text).toBe('Hello there, and then more.');
  });

  it('is given up upstream when the client leaves', async () => {
    const stream = await openai.chat.completions.create({
      ...chat('say: on and on ', 'trial;fault=endless'),
      stream: true,
    });
    for await (const chunk of stream) if ((chunk.choices[0]?.delta.content ?? '') !== '') break;
    await expect(agent.upstream.requests.at(-1)?.ended).resolves.toBe('gone');
  });
});

describe('limits', () => {
  it('are the SDK’s RateLimitError with code hoop_limit from the 3rd request of a day on, per user', async () => {
    const limited = (client: OpenAI) => client.chat.completions.create(chat('say: ok', 'trial-limited'));
    const mine = openaiAt(await agent.direct('openai', { subject: 'lim' }));
    await limited(mine);
    await limited(mine);
    const error = await failureOf(limited(mine));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: 'hoop_limit' });
    await expect(limited(openaiAt(await agent.direct('openai', { subject: 'other' })))).resolves.toBeDefined();
  });
});

describe('a prompt that waits for people', () => {
  async function decide(path: 'approve' | 'deny'): Promise<void> {
    const dana = await agent.token({ subject: 'dana', groups: ['dba'] });
    for (;;) {
      const { body } = await agent.call('/v1/requests?state=pending', { token: dana });
      const [first] = body as { readonly id: string }[];
      if (first !== undefined) {
        const reason = { reason: 'as agreed' };
        expect((await agent.call(`/v1/requests/${first.id}/${path}`, { token: dana, body: reason })).status).toBe(200);
        return;
      }
      await wait(20);
    }
  }

  it('goes on once it is approved: whole and streamed, in both dialects', async () => {
    const calls = [
      () => openai.chat.completions.create(chat('say: 1 approved', 'trial-held')),
      () => openai.chat.completions.stream(chat('say: 2 approved', 'trial-held')).finalChatCompletion(),
      () => openai.responses.stream({ model: 'trial-held', input: 'say: 3 approved' }).finalResponse(),
      () => anthropic.messages.stream(message('say: 4 approved', 'trial-held')).finalMessage(),
    ];
    for (const [index, call] of calls.entries()) {
      const [answer] = await Promise.all([call(), decide('approve')]);
      expect(JSON.stringify(answer)).toContain(`${String(index + 1)} approved`);
    }
  });

  it('keeps a streaming client patient with comments that mean nothing to it, and nothing goes up before', async () => {
    const before = agent.upstream.requests.length;
    const { url, apiKey } = await agent.direct('openai');
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...chat('say: patience', 'trial-held'), stream: true }),
    });
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader.read();
    expect(first.value).toMatch(/^:/);
    expect(agent.upstream.requests.length).toBe(before);
    await decide('approve');
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value;
    expect(rest).toContain('data: [DONE]');
    expect(agent.upstream.requests.length).toBe(before + 1);
  });

  it('is refused with code hoop_denied and the reviewer’s reason, streamed or not', async () => {
    const [whole] = await Promise.all([
      failureOf(openai.chat.completions.create(chat('say: no', 'trial-held'))),
      decide('deny'),
    ]);
    expect(whole).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(whole).toMatchObject({ code: 'hoop_denied' });
    expect(String(whole['message'])).toContain('as agreed');
    const [streamed] = await Promise.all([
      failureOf(openai.chat.completions.stream(chat('say: no', 'trial-held')).finalChatCompletion()),
      decide('deny'),
    ]);
    expect(streamed).toBeInstanceOf(OpenAI.APIError);
    expect(String(streamed['message'])).toContain('as agreed');
    const [other] = await Promise.all([
      failureOf(anthropic.messages.stream(message('say: no', 'trial-held')).finalMessage()),
      decide('deny'),
    ]);
    expect(other).toBeInstanceOf(Anthropic.APIError);
    expect(String(other['message'])).toContain('as agreed');
  });
});

describe('a wrong key', () => {
  it.each([
    ['nothing that is a token', 'not-a-token'],
    ['the upstream’s own key', 'sk-upstream-4f1c0b7a92d85e36'],
  ])('is the SDK’s AuthenticationError and reaches no upstream: %s', async (_name, apiKey) => {
    const before = agent.upstream.requests.length;
    const place = { ...(await agent.direct('openai')), apiKey };
    expect(await failureOf(openaiAt(place).chat.completions.create(chat('hi')))).toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    const other = { ...(await agent.direct('anthropic')), apiKey };
    expect(await failureOf(anthropicAt(other).messages.create(message('hi')))).toBeInstanceOf(
      Anthropic.AuthenticationError,
    );
    expect(agent.upstream.requests.length).toBe(before);
  });

  it('of someone without access is the SDK’s PermissionDeniedError', async () => {
    const place = await agent.direct('openai', { subject: 'eve', groups: ['visitors'] });
    expect(await failureOf(openaiAt(place).chat.completions.create(chat('hi')))).toMatchObject({ status: 403 });
  });
});

describe('an upstream that lies or breaks', () => {
  it.each(['lying-encoding', 'unknown-encoding', 'malformed', 'cut', 'reset'])(
    'is an exception of the SDK, never an answer: %s',
    async (fault) => {
      const model = `trial;fault=${fault};fragment=1`;
      for (const call of [
        () => openai.chat.completions.create(chat(`say: ${PERSONAL}`, model)),
        () => openai.chat.completions.stream(chat(`say: ${PERSONAL}`, model)).finalChatCompletion(),
        () => anthropic.messages.create(message(`say: ${PERSONAL}`, model)),
        () => anthropic.messages.stream(message(`say: ${PERSONAL}`, model)).finalMessage(),
      ]) {
        const error = await failureOf(call());
        expect(String(error['message'])).not.toContain(EMAIL);
      }
    },
  );

  it('masks an answer in an encoding that nobody asked for', async () => {
    const answer = await openai.chat.completions.create(chat(`say: ${PERSONAL}`, 'trial;fault=unasked-encoding'));
    expect(answer.choices[0]?.message.content).toBe('mail [email] or card [credit-card], thanks');
  });

  it('says HTML of JSON: the text in it is masked all the same, or it is refused', async () => {
    const { url, apiKey } = await agent.direct('openai');
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat(`say: ${PERSONAL}`, 'trial;fault=wrong-type')),
    });
    const text = await answer.text();
    expect(text).not.toContain(EMAIL);
    expect(answer.status === 200 ? text : 'refused').toMatch(/\[email\]|refused/);
  });
});
