import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { readsSql } from '../../src/policy/applies.js';
import { decide } from '../../src/policy/decide.js';
import { maskPlanFor } from '../../src/policy/mask-plan.js';
import type { PolicyDefinition } from '../../src/policy/schema.js';
import type { SqlFacts } from '../../src/policy/types.js';
import { loadFolder } from '../config/config-fixtures.js';
import { contextOf, setOf, sqlFacts } from './policy-fixtures.js';

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
