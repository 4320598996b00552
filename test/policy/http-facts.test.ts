import { describe, expect, it } from 'vitest';
import { VerdictCache } from '../../src/agent/sessions/verdict-cache.js';
import { decide } from '../../src/policy/decide.js';
import type { Facts } from '../../src/policy/types.js';
import { contextOf, policy, setOf } from './policy-fixtures.js';

const context = contextOf({ connection: 'crm', type: 'http' });
const request = (http: Record<string, unknown>): Facts => ({
  http: { method: 'POST', path: '/orders', query: {}, headers: {}, host: 'crm.example.com', ...http },
});
const llm = (changes: Record<string, unknown>): Facts => ({
  ...request({ body: '{}', json: {} }),
  llm: {
    provider: 'openai',
    model: 'gpt-4o',
    prompt: 'hello',
    lastUser: 'hello',
    messages: [{ role: 'user', text: 'hello' }],
    tools: [],
    stream: false,
    maxTokens: null,
    ...changes,
  },
});
const judge = (when: string, facts: Facts): string =>
  decide(setOf(policy('p', { rules: [{ name: 'r', when, action: 'warn' }] })), context, facts).action;

describe('a condition on http.json', () => {
  it.each([
    ['a number above', { amount: 150 }, 'warn'],
    ['a fraction', { amount: 100.5 }, 'warn'],
    ['a number below', { amount: 5 }, 'allow'],
    ['no such member', {}, 'block'],
    ['text', { amount: '150' }, 'block'],
    ['no object', [1], 'block'],
    ['no JSON', null, 'block'],
  ])('compares %s: %j is %s', (_what, json, action) => {
    expect(judge('http.json.amount > 100', request({ body: '', json }))).toBe(action);
  });

  it('blocks where there is no such fact at all, also behind has()', () => {
    expect(judge('http.json.amount > 100', request({}))).toBe('block');
    expect(judge('has(http.json.amount) && http.json.amount > 100', request({}))).toBe('block');
    expect(judge('http.body.contains("x")', request({}))).toBe('block');
  });

  it.each([
    [{}, 'allow'],
    [null, 'allow'],
    [[1], 'allow'],
    [{ amount: 101 }, 'warn'],
    [JSON.parse('{"__proto__":{"amount":101}}'), 'allow'],
  ])('passes over a member that is not there behind has(): %j is %s', (json, action) => {
    expect(judge('has(http.json.amount) && http.json.amount > 100', request({ body: '', json }))).toBe(action);
    expect(judge('has(http.json.constructor)', request({ body: '', json }))).toBe('allow');
  });

  it('reaches into lists', () => {
    const facts = request({ json: { items: [{ price: 1 }, { price: 9 }] } });
    expect(judge('http.json.items.exists(item, item.price > 5)', facts)).toBe('warn');
    expect(judge('http.json.items[0].price > 5', facts)).toBe('allow');
    expect(judge('size(http.json.items) == 2', facts)).toBe('warn');
    expect(judge('http.json.items[2].price > 5', facts)).toBe('block');
  });
});

describe('a condition on http', () => {
  it('asks for headers and parameters by `in`, and blocks where it takes them for granted', () => {
    const facts = request({ headers: { 'x-team': 'a' }, query: { page: '1' } });
    expect(judge('"x-team" in http.headers && http.headers["x-team"] == "a"', facts)).toBe('warn');
    expect(judge('"x-other" in http.headers && http.headers["x-other"] == "a"', facts)).toBe('allow');
    expect(judge('http.headers["x-other"] == "a"', facts)).toBe('block');
    expect(judge('has(http.query.page) && http.query.page == "1"', facts)).toBe('warn');
    expect(judge('"toString" in http.query || "constructor" in http.headers', facts)).toBe('allow');
  });
});

describe('a condition on llm', () => {
  it.each([
    ['llm.prompt.matches("(?i)HELL[O]")', 'warn'],
    ['llm.messages.exists(message, message.role == "user" && message.text.contains("ell"))', 'warn'],
    ['llm.tools.exists(tool, tool.name == "shell")', 'allow'],
    ['llm.maxTokens != null && llm.maxTokens > 100', 'allow'],
    ['llm.maxTokens > 100', 'block'],
    ['llm.provider == "openai" && llm.model.startsWith("gpt-") && !llm.stream', 'warn'],
  ])('%s is %s', (when, action) => {
    expect(judge(when, llm({}))).toBe(action);
  });

  it('compares numbers of either kind', () => {
    for (const maxTokens of [200, 200n]) expect(judge('llm.maxTokens > 100', llm({ maxTokens }))).toBe('warn');
  });

  it('is not tried for a request that is none of a model', () => {
    expect(judge('llm.prompt.contains("x")', request({ body: 'x' }))).toBe('allow');
  });
});

describe('a verdict that is kept', () => {
  it('belongs to the facts of one request: the next with its own facts is judged again', () => {
    const set = setOf(policy('p', { rules: [{ name: 'r', when: 'http.path == "/a"', action: 'block' }] }));
    const cache = new VerdictCache();
    const judged = ['/a', '/b', '/a'].map((path) => {
      const facts = request({ path });
      return cache.judge(set, facts.http as object, () => decide(set, context, facts)).action;
    });
    expect(set.steady).toBe(true);
    expect(judged).toEqual(['block', 'allow', 'block']);
  });
});
