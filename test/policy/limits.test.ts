import { describe, expect, it } from 'vitest';
import { anyLimit, limitsFor, limitsReadBody } from '../../src/policy/limits.js';
import type { DecisionContext } from '../../src/policy/bound-facts.js';
import { contextOf, faultsOf, policy, setOf } from './policy-fixtures.js';

const caller = (changes: Parameters<typeof contextOf>[0] = {}): DecisionContext =>
  contextOf({ connection: 'openai', type: 'openai', ...changes });
const limit = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  name: 'budget',
  requests: { perMinute: 10 },
  ...changes,
});
const setWith = (limits: readonly Record<string, unknown>[], spec: Record<string, unknown> = {}) =>
  setOf(policy('team', { limits, ...spec }));
const keysOf = (changes: Record<string, unknown>, context = caller(), model = 'gpt-4o'): readonly string[] =>
  limitsFor(setWith([limit(changes)]), context, model).flatMap((one) => one.keys);

describe('limitsFor', () => {
  it('gives every amount of a limit with its span', () => {
    const set = setWith([
      limit({ requests: { perMinute: 60, perDay: 5000 }, tokens: { perDay: 2e6 }, spend: { perMonth: 300.5 } }),
    ]);
    expect(limitsFor(set, caller(), '')).toEqual([
      {
        policy: 'team',
        name: 'budget',
        message: '',
        observed: false,
        amounts: [
          { kind: 'requests', span: 'minute', most: 60 },
          { kind: 'requests', span: 'day', most: 5000 },
          { kind: 'tokens', span: 'day', most: 2_000_000 },
          { kind: 'spend', span: 'month', most: 300.5 },
        ],
        keys: ['[["team","budget"]]'],
      },
    ]);
  });

  it('counts apart by user with issuer, model in any case, connection, and each combination', () => {
    const ann = caller();
    const bob = { ...ann, user: { ...ann.user, subject: 'u2' } };
    const other = { ...ann, user: { ...ann.user, issuer: 'https://other.example' } };
    const users = [ann, bob, other].map((context) => keysOf({ per: 'user' }, context)[0]);
    expect(new Set(users).size).toBe(3);
    expect(keysOf({ per: 'model' }, ann, 'GPT-4o')).toEqual(keysOf({ per: 'model' }, ann, 'gpt-4O'));
    expect(keysOf({ per: 'model' }, ann, 'a')).not.toEqual(keysOf({ per: 'model' }, ann, 'b'));
    expect(keysOf({ per: 'connection' }, caller({ connection: 'a' }))).not.toEqual(keysOf({ per: 'connection' }));
    expect(keysOf({ per: ['model', 'user'] })).toEqual(keysOf({ per: ['user', 'model'] }));
    expect(keysOf({ per: ['model', 'user'] }, bob)).not.toEqual(keysOf({ per: ['user', 'model'] }));
    expect(keysOf({}, bob)).toEqual(keysOf({}, ann));
  });

  it('takes each model of a batch for itself: 3 that fit of 5, and no more than 20 counters', () => {
    const batch = 'gpt-4o,free,GPT-4o,gpt-5,gpt-6';
    expect(keysOf({ models: ['gpt-*'] }, caller(), `free,${batch}`)).toHaveLength(1);
    expect(keysOf({ models: ['gpt-*'] }, caller(), 'free,other')).toEqual([]);
    expect(keysOf({ per: 'model', models: ['gpt-*'] }, caller(), batch)).toEqual(
      ['gpt-4o', 'gpt-5', 'gpt-6'].flatMap((name) => keysOf({ per: 'model', models: ['gpt-*'] }, caller(), name)),
    );
    const many = Array.from({ length: 500 }, (_, number) => `m${String(number)}`).join(',');
    expect(keysOf({ per: 'model' }, caller(), many)).toHaveLength(20);
  });

  it('keeps the names of models of 10,000 characters to 200 in a counter', () => {
    expect(keysOf({ per: 'model' }, caller(), 'm'.repeat(10_000))[0]?.length).toBeLessThan(250);
  });

  it('counts for each of the caller’s groups that the limit names, else the policy', () => {
    const groups = ['dba', 'web', 'ops', 'web'];
    const counted = (spec: Record<string, unknown>, own: Record<string, unknown>): (string | undefined)[] =>
      limitsFor(setWith([limit({ per: 'group', ...own })], spec), caller({ groups }), 'm').flatMap((one) =>
        one.keys.map((key) => /\["group","(.*?)"\]/.exec(key)?.[1]),
      );
    expect(counted({}, {})).toEqual(['dba', 'web', 'ops']);
    expect(counted({ match: { groups: ['web', 'ops', 'sales'] } }, {})).toEqual(['web', 'ops']);
    expect(counted({ match: { groups: ['web', 'ops'] } }, { groups: ['dba'] })).toEqual(['dba']);
    expect(counted({ match: { groups: ['*'] } }, {})).toEqual(['dba', 'web', 'ops']);
    expect(counted({}, { groups: ['sales'] })).toEqual([]);
    expect(keysOf({ per: 'group' }, caller({ groups: [] }))).toHaveLength(1);
  });

  it('counts only models that fit, in any case, and no request without one', () => {
    const fits = (model: string): number => keysOf({ models: ['GPT-*', 'o1'] }, caller(), model).length;
    expect([fits('gpt-4o'), fits('Gpt-5'), fits('o1'), fits('o1-mini'), fits('claude'), fits('')]).toEqual([
      1, 1, 1, 0, 0, 0,
    ]);
  });

  it('applies where the policy does, on the 3 types over HTTP alone', () => {
    const set = setWith([limit()], { match: { connections: ['open*'] } });
    expect(limitsFor(set, caller({ connection: 'crm', type: 'http' }), '')).toEqual([]);
    for (const type of ['http', 'openai', 'anthropic']) expect(anyLimit(set, caller({ type }))).toBe(true);
    expect(limitsFor(set, caller({ type: 'postgres' }), '')).toEqual([]);
    expect(anyLimit(set, caller({ type: 'postgres' }))).toBe(false);
  });

  it('takes amounts that came out of the environment as text', () => {
    const set = setWith([limit({ requests: { perDay: '60' }, spend: { perDay: '0.5' } })]);
    expect(limitsFor(set, caller(), '')[0]?.amounts.map(({ most }) => most)).toEqual([60, 0.5]);
  });

  it('marks those of observing policies', () => {
    expect(limitsFor(setWith([limit()], { mode: 'observe' }), caller(), '')[0]?.observed).toBe(true);
  });
});

describe('limitsReadBody', () => {
  it.each<[boolean, Record<string, unknown>]>([
    [false, {}],
    [false, { per: ['user', 'group', 'connection'] }],
    [true, { per: 'model' }],
    [true, { models: ['gpt-*'] }],
    [true, { tokens: { perDay: 1 } }],
    [true, { spend: { perDay: 0.01 } }],
    [false, { tokens: { perDay: 1 }, groups: ['nobody'] }],
  ])('is %s for %j', (expected, changes) => {
    expect(limitsReadBody(setWith([limit(changes)]), caller())).toBe(expected);
  });
});

describe('limits of a policy', () => {
  it('change its hash, in whatever order they stand; none leave it as it was', () => {
    const [one, two] = [limit(), limit({ name: 'other' })];
    const hash = (spec: Record<string, unknown>): string => setOf(policy('p', spec)).hash;
    expect(hash({ limits: [one, two] })).toBe(hash({ limits: [two, one] }));
    expect(hash({ limits: [one] })).not.toBe(hash({ limits: [limit({ requests: { perMinute: 11 } })] }));
    expect(hash({ limits: [] })).toBe(hash({}));
  });

  it('may not share a name with another limit or a rule', () => {
    const rules = [{ name: 'budget', when: 'true', action: 'warn' }];
    expect(faultsOf(policy('p', { rules, limits: [limit()] })).map(({ path, message }) => [path, message])).toEqual([
      [['limits', 0, 'name'], '`budget` is the name of a rule of this policy'],
    ]);
    expect(faultsOf(policy('p', { limits: [limit(), limit()] })).map(({ path }) => path)).toEqual([
      ['limits', 1, 'name'],
    ]);
  });
});
