import { describe, expect, it } from 'vitest';
import { blocksUninspected, readsBody } from '../../src/policy/applies.js';
import { contextOf, policy, setOf } from './policy-fixtures.js';

const setWhen = (when: string, spec: Record<string, unknown> = {}, rule: Record<string, unknown> = {}) =>
  setOf(policy('p', { rules: [{ name: 'r', when, action: 'block', ...rule }], ...spec }));
const on = (type: string) => contextOf({ connection: 'c', type });

describe('readsBody', () => {
  it.each([
    ['true', 'http openai'],
    ['http.method == "GET" && http.path.startsWith("/admin")', 'http openai'],
    ['http["path"] == "/a" || "x-a" in http.headers || http.query.page == "1" || http.host == "a"', 'http openai'],
    ['user.groups.exists(group, group == "http.body")', 'http openai'],
    ['sql.text == "x" && http.body == "x"', 'http openai'],
    ['llm.prompt == "x"', 'http'],
    ['http.method == "GET" && llm.stream', 'http'],
  ])('is false for %s on %s', (when, types) => {
    for (const type of types.split(' ')) expect(readsBody(setWhen(when), on(type))).toBe(false);
  });

  it.each([
    ['http.body.contains("x")', 'http openai anthropic'],
    ['has(http.json.amount) && http.json.amount > 100', 'http openai'],
    ['http["body"] == "x"', 'http openai'],
    ['http["bo" + "dy"] == "x"', 'http'],
    ['http.method == "POST" && cel.bind(all, http, all.body == "x")', 'http'],
    ['[http].exists(h, h.json != null)', 'http'],
    ['llm.model == "gpt-4o"', 'openai anthropic'],
  ])('is true for %s on %s', (when, types) => {
    const set = setWhen(when);
    for (const type of types.split(' ')) {
      expect(readsBody(set, on(type))).toBe(true);
      expect(blocksUninspected(set, on(type))).toBe(true);
    }
  });

  it('is true for observing policies too, which block nothing that can not be read', () => {
    const set = setWhen('http.body == "x"', { mode: 'observe' });
    expect(readsBody(set, on('http'))).toBe(true);
    expect(blocksUninspected(set, on('http'))).toBe(false);
  });

  it('is true for an approval, which is bound to the body, unless it is only observed', () => {
    const rule = { action: 'approve', approval: 'f' };
    expect(readsBody(setWhen('http.method == "DELETE"', {}, rule), on('http'))).toBe(true);
    expect(blocksUninspected(setWhen('http.method == "DELETE"', {}, rule), on('http'))).toBe(false);
    expect(readsBody(setWhen('http.method == "DELETE"', { mode: 'observe' }, rule), on('http'))).toBe(false);
    expect(readsBody(setWhen('sql.unqualifiedWrite', {}, rule), on('http'))).toBe(false);
  });

  it('is false where the policy does not match, and on databases', () => {
    const set = setWhen('http.body == "x"', { match: { types: ['http'] } });
    expect([readsBody(set, on('openai')), readsBody(setWhen('http.body == "x"'), on('postgres'))]).toEqual([
      false,
      false,
    ]);
  });
});
