import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { matchesPath } from '../../src/core/json-path.js';
import { readsBody, readsSql } from '../../src/policy/applies.js';
import { decide } from '../../src/policy/decide.js';
import { parseJsonPath } from '../../src/policy/json-path.js';
import { limitsFor } from '../../src/policy/limits.js';
import { maskPlanFor } from '../../src/policy/mask-plan.js';
import type { PolicyDefinition } from '../../src/policy/schema.js';
import type { Facts, SqlFacts, Verdict } from '../../src/policy/types.js';
import { loadFolder } from '../config/config-fixtures.js';
import { contextOf, setOf, sqlFacts } from './policy-fixtures.js';

/** What a request of a policy's own test would be judged by. */
function factsOf(test: PolicyDefinition['tests'][number]): Facts | undefined {
  if ('prompt' in test) {
    const { model = 'gpt-4o', tools = [], repeat = 1 } = test;
    const prompt = test.prompt.repeat(repeat);
    const http = {
      method: 'POST',
      path: '/v1/chat/completions',
      query: {},
      headers: {},
      body: '{}',
      json: {},
      host: 'a',
    };
    const llm = { provider: 'openai', model, prompt, lastUser: prompt, messages: [{ role: 'user', text: prompt }] };
    const offered = tools.map((name) => ({ name, description: '' }));
    return { http, llm: { ...llm, tools: offered, stream: false, maxTokens: null } };
  }
  if (!('request' in test)) return undefined;
  const { body, ...head } = test.request;
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body);
  return { http: { ...head, host: 'crm.example.com', body: text, json: typeof body === 'object' ? body : null } };
}

function verdictOf(definition: PolicyDefinition, test: PolicyDefinition['tests'][number]): Verdict {
  const facts = factsOf(test);
  if (facts === undefined) throw new Error('no test of a request');
  const type = facts.llm === undefined ? 'http' : 'openai';
  return decide(setOf(definition), contextOf({ connection: 'any', type, groups: [] }), facts);
}

async function example(name: string): Promise<PolicyDefinition> {
  const path = fileURLToPath(new URL(`../../examples/policies/${name}.yaml`, import.meta.url));
  const { faults, resources } = await loadFolder(path, {});
  expect(faults).toEqual([]);
  const [definition] = resources?.policies ?? [];
  if (definition === undefined) throw new Error('no policy in the example');
  return definition;
}

describe('standard-sql.yaml', () => {
  let definition: PolicyDefinition;
  beforeAll(async () => {
    definition = await example('standard-sql');
  });

  const blocked: [string, Partial<SqlFacts>][] = [
    ['drop', { effects: ['drop'] }],
    ['drop', { effects: ['alter', 'drop'] }],
    ['truncate', { effects: ['truncate'] }],
    ['delete-no-where', { effects: ['delete'], unqualified: ['delete'] }],
    ['delete-no-where', { effects: ['merge', 'delete'], unqualified: ['merge'] }],
    ['update-no-where', { effects: ['select', 'update'], unqualified: ['update'] }],
    ['update-no-where', { effects: ['merge', 'update'], unqualified: ['merge'] }],
    ...['grant', 'revoke', 'role-admin', 'owner', 'server-config'].map((effect): [string, Partial<SqlFacts>] => [
      'privilege',
      { effects: [effect] },
    ]),
    ...['server-file', 'server-program', 'outbound', 'extension'].map((effect): [string, Partial<SqlFacts>] => [
      'server-files',
      { effects: [effect] },
    ]),
    ...['pg_read_file', 'pg_catalog.pg_ls_dir', 'lo_import', 'public.dblink_exec', 'dblink', 'pg_ls_waldir'].map(
      (name): [string, Partial<SqlFacts>] => ['server-files', { functions: [name] }],
    ),
    ['dynamic', { effects: ['do', 'dynamic'] }],
    ['dynamic', { effects: ['do', 'update'], unqualified: ['update'] }],
    ...['query_to_xml', 'database_to_xml', 'ts_stat', 'public.crosstab', 'crosstab3'].map(
      (name): [string, Partial<SqlFacts>] => ['dynamic', { functions: ['count', name] }],
    ),
    ['stored-code', { effects: ['stored-code', 'dynamic'] }],
    ['stored-code', { effects: ['create', 'stored-code', 'delete'], unqualified: ['delete'] }],
    ['stored-code', { effects: ['stored-code', 'truncate'] }],
    ['identity', { effects: ['set-role'] }],
    ['identity', { effects: ['session-authorization'] }],
    ['multi-statement', { statements: 2 }],
  ];
  it.each(blocked)('blocks by %s: %j', (rule, facts) => {
    const verdict = decide(setOf(definition), contextOf(), sqlFacts(facts));
    expect(verdict.action).toBe('block');
    expect(verdict.matches.map((match) => match.rule)).toContain(rule);
    expect(verdict.message).toMatch(/^[A-Z].+\.$/);
  });

  it.each<[string, Partial<SqlFacts>]>([
    ['a select', {}],
    ['a delete with WHERE', { effects: ['delete'] }],
    [
      'a function that is only named alike',
      { functions: ['my_pg_read_file', 'pg_read_file_count', 'crosstabs', 'lo_creat'] },
    ],
    ['a plain stored function', { effects: ['create', 'stored-code', 'select'] }],
    ['a DO without anything refused', { effects: ['do', 'select'] }],
    ['COPY TO STDOUT', { effects: ['copy-out'] }],
    ['DISCARD', { effects: ['discard'] }],
    ['a setting', { effects: ['set'] }],
    ['PREPARE', { effects: ['prepare', 'select'] }],
    ['an empty message', { effects: [], kind: 'other', statements: 0 }],
  ])('allows %s', (_what, facts) => {
    expect(decide(setOf(definition), contextOf(), sqlFacts(facts))).toMatchObject({ action: 'allow', matches: [] });
  });

  it('matches every connection, for everyone, and has a test for each of its 10 rules', () => {
    expect(readsSql(setOf(definition), contextOf({ connection: 'any', groups: [] }))).toBe(true);
    const tested = new Set(
      definition.tests.flatMap((test) => ('sql' in test && test.rule !== undefined ? [test.rule] : [])),
    );
    const names = definition.rules.map((rule) => rule.name);
    expect(names).toEqual([
      'drop',
      'truncate',
      'delete-no-where',
      'update-no-where',
      'privilege',
      'server-files',
      'dynamic',
      'stored-code',
      'identity',
      'multi-statement',
    ]);
    expect([...tested].sort()).toEqual([...names].sort());
  });
});

describe('standard-masking.yaml', () => {
  it('masks 14 entities and 2 columns for everyone, the strongest first, and decides nothing', async () => {
    const definition = await example('standard-masking');
    const set = setOf(definition);
    const plan = maskPlanFor(set, contextOf({ connection: 'any', groups: [] }));
    expect(plan.needsColumns).toBe(true);
    expect(plan.rules.map(({ name, strategy }) => [name, strategy])).toEqual([
      ['standard-masking/keys', 'redact'],
      ['standard-masking/secret-columns', 'redact'],
      ['standard-masking/personal', 'partial'],
    ]);
    expect(plan.rules.flatMap(({ entities }) => entities)).toHaveLength(14);
    expect(plan.rules[1]?.columns).toEqual([
      { schema: '*', table: '*', column: 'password' },
      { schema: '*', table: '*', column: 'secret_answer' },
    ]);
    expect(readsSql(set, contextOf())).toBe(false);
    const tested = new Set(
      definition.tests.flatMap((test) => ('text' in test && test.mask !== undefined ? [test.mask] : [])),
    );
    expect([...tested].sort()).toEqual(definition.mask.map(({ name }) => name).sort());
  });
});

describe.each([
  ['prompt-rules', 6, 21],
  ['http-readonly', 3, 9],
])('%s.yaml', (name, rules, requests) => {
  it(`holds its own ${String(requests)} tests of requests, at least one for each of ${String(rules)} rules`, async () => {
    const definition = await example(name);
    expect(definition.rules).toHaveLength(rules);
    const tests = definition.tests.filter((test) => factsOf(test) !== undefined);
    expect(tests).toHaveLength(requests);
    for (const test of tests) {
      const { action, rule, matches } = verdictOf(definition, test);
      const expected = 'rule' in test && test.rule !== undefined ? `${name}/${test.rule}` : '';
      expect([test, action, rule]).toEqual([test, test.expect, expected]);
      for (const match of matches) expect(match.message).toMatch(/^[A-Z].+\.$/);
    }
    const tested = tests.flatMap((test) => ('rule' in test && test.rule !== undefined ? [test.rule] : []));
    const untested = definition.rules.map((rule) => rule.name).filter((one) => !tested.includes(one));
    expect(untested).toEqual([]);
  });

  it('matches every connection and leaves statements of databases alone', async () => {
    const set = setOf(await example(name));
    expect(decide(set, contextOf({ connection: 'any', groups: [] }), sqlFacts({ effects: ['drop'] }))).toMatchObject({
      action: 'allow',
      matches: [],
    });
  });
});

describe('prompt-rules.yaml', () => {
  it('reads a prompt of 400,000 characters in 2 s of processor time, and warns of one more', async () => {
    const definition = await example('prompt-rules');
    const text = 'password = a@b.c CONFIDENTIAL \n'.repeat(20_000).slice(0, 400_000);
    const before = process.cpuUsage();
    expect(verdictOf(definition, { prompt: text, expect: 'allow' }).matches.map(({ rule }) => rule)).not.toContain(
      'large-prompt',
    );
    expect(process.cpuUsage(before).user).toBeLessThan(2_000_000);
    expect(verdictOf(definition, { prompt: `${text}x`, expect: 'warn' }).matches.map(({ rule }) => rule)).toContain(
      'large-prompt',
    );
  });
});

describe('http-readonly.yaml', () => {
  it('masks at 4 paths over HTTP, and is judged without the body', async () => {
    const definition = await example('http-readonly');
    const context = contextOf({ connection: 'any', type: 'http', groups: [] });
    const [rule] = maskPlanFor(setOf(definition), context).rules;
    expect(readsBody(setOf(definition), context)).toBe(false);
    const meets = (path: string): boolean =>
      rule?.paths?.some((pattern) =>
        matchesPath(
          pattern,
          (parseJsonPath(path)?.steps ?? []).map(({ select = '*' }) => select),
        ),
      ) === true;
    expect(rule?.paths).toHaveLength(4);
    for (const test of definition.tests)
      if ('path' in test && test.path !== undefined)
        expect([test, meets(test.path)]).toEqual([test, test.expect === 'mask']);
    expect(maskPlanFor(setOf(definition), contextOf()).rules).toEqual([]);
  });
});

describe('model-limits.yaml', () => {
  it('limits each person on every connection over HTTP, and decides nothing', async () => {
    const set = setOf(await example('model-limits'));
    for (const type of ['openai', 'anthropic']) {
      const limits = limitsFor(set, contextOf({ connection: 'any', type, groups: [] }), 'any-model');
      expect(limits.map(({ name, keys, amounts }) => [name, keys.length, amounts.length])).toEqual([
        ['rush', 1, 2],
        ['day', 1, 1],
      ]);
    }
    expect(limitsFor(set, contextOf({ connection: 'crm', type: 'http' }), '')).toEqual([]);
    expect(limitsFor(set, contextOf(), '')).toEqual([]);
  });
});

describe('standard-masking.yaml over HTTP', () => {
  it('masks the same 14 entities in answers of the 3 types, without reading any whole', async () => {
    const set = setOf(await example('standard-masking'));
    for (const type of ['http', 'openai', 'anthropic']) {
      const { rules } = maskPlanFor(set, contextOf({ connection: 'any', type, groups: [] }));
      expect(rules.map(({ name, on, paths }) => [name, on, paths])).toEqual(
        ['keys', 'personal'].map((name) => [`standard-masking/${name}`, { requests: false, answers: true }, undefined]),
      );
      expect(rules.flatMap(({ entities }) => entities)).toHaveLength(14);
    }
  });
});
